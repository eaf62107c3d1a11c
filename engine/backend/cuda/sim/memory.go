package sim

import (
	"fmt"
	"slices"
	"sort"
	"unsafe"
)

// space is an address space.
type space uint8

const (
	spaceGlobal space = iota
	spaceShared
	spaceLocal
	spaceGeneric
	spaceParam
)

// Where the spaces lie in generic addresses. Allocations begin at globalBase.
const (
	sharedWindow = uint64(1) << 40
	localWindow  = uint64(1) << 41
	windowSize   = uint64(1) << 24
	globalBase   = uint64(0x7f) << 40
	gap          = 4096 // bytes between allocations that belong to none
	guardBytes   = 16   // between shared variables
)

// A stamp says who touched a word last: the block (31 bits, counted over all launches of a device), the block's clock (18
// bits), flags and the agent: a thread, or what works beside the threads. The clock ticks at everything that puts accesses in
// order, and a warp knows up to which clock each agent's accesses come before what it does next.
type stamp = uint64

const (
	threadBits = 12
	flagBits   = 3
	clockBits  = 18
	clockAt    = threadBits + flagBits
	blockAt    = clockAt + clockBits
	threadMask = stamp(1)<<threadBits - 1
	clockMask  = stamp(1)<<clockBits - 1
	maxClock   = 1<<clockBits - 1

	// Of the last reader: there were others since the last barrier, of the same warp, of other warps; of other blocks since the
	// launch began. Of the last writer: it was an atomic operation.
	flagSame   = stamp(1) << threadBits
	flagOther  = stamp(2) << threadBits
	flagBlocks = stamp(4) << threadBits
	flagAtomic = stamp(1) << threadBits

	hostStamp    = stamp(1) << blockAt // written by the host: block 1, before all others
	guardStamp   = ^stamp(0)           // belongs to no variable
	pendingStamp = ^stamp(0) - 1       // a copy is in flight to it
	barrierStamp = ^stamp(0) - 2       // belongs to an mbarrier

	// Agents that are no threads: what reads shared memory for the products of warp i, and what copies for mbarrier i.
	productAgent = 1024
	copyAgent    = productAgent + 32
	maxBarriers  = 64
	agents       = copyAgent + maxBarriers
)

// region is a run of memory with who touched each word of it.
type region struct {
	base   uint64
	size   int
	words  []uint32
	wr, rd []stamp
	fine   *fineStamps // per byte, from the first access that is narrower than a word
	exact  *exactReads // in place of rd, in blocks whose threads do not all meet at the same barriers
	what   string
}

type fineStamps struct{ wr, rd []stamp }

// exactReads knows all readers, where the last one and flags say too little.
type exactReads struct {
	each    int       // bytes of a cell: 4, or 1 once a narrower access was made
	cells   [][]stamp // by cell: each thread's last read since the last write
	async   [][]stamp // by 16 bytes: the last read of each warp's products that have ended
	reading []uint16  // by 16 bytes: reads by products in flight
}

func newRegion(base uint64, size int, what string) *region {
	n := (size + 3) / 4
	return &region{base: base, size: size, words: make([]uint32, n), wr: make([]stamp, n), rd: make([]stamp, n), what: what}
}

// bytes is the memory as bytes; the host is little-endian, as GPUs are.
func (r *region) bytes() []byte {
	if len(r.words) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&r.words[0])), 4*len(r.words))[:r.size]
}

// refine goes over to stamps per byte.
func (r *region) refine() *fineStamps {
	if r.fine == nil {
		f := &fineStamps{make([]stamp, 4*len(r.words)), make([]stamp, 4*len(r.words))}
		for i := range r.words {
			for b := range 4 {
				f.wr[4*i+b], f.rd[4*i+b] = r.wr[i], r.rd[i]
			}
		}
		r.fine = f
		if e := r.exact; e != nil {
			words := e.cells
			e.each, e.cells = 1, make([][]stamp, 4*len(r.words))
			for i := range e.cells {
				e.cells[i] = slices.Clone(words[i/4])
			}
		}
	}
	return r.fine
}

// Device is a simulated card: its memory. One goroutine at a time uses it.
type Device struct {
	// Instructions counts what lanes have executed.
	Instructions int64

	regions []*region // by address
	next    uint64
	blocks  stamp // the block number given last
	first   stamp // the first of the running launch
	pool    map[*Kernel]*block
	modules map[*Module]map[string]uint64 // addresses of variables
}

// NewDevice returns a card with nothing on it.
func NewDevice() *Device {
	return &Device{next: globalBase, blocks: 1, pool: map[*Kernel]*block{}, modules: map[*Module]map[string]uint64{}}
}

// Alloc returns the address of bytes of global memory that hold nothing yet; what names them in messages.
func (d *Device) Alloc(bytes int, what string) uint64 {
	r := newRegion(d.next, bytes, what)
	d.regions = append(d.regions, r) // addresses only grow
	d.next += uint64(bytes+gap+255) &^ 255
	return r.base
}

// Free gives memory back; addr is what Alloc returned.
func (d *Device) Free(addr uint64) error {
	i := sort.Search(len(d.regions), func(i int) bool { return d.regions[i].base >= addr })
	if i == len(d.regions) || d.regions[i].base != addr {
		return fmt.Errorf("sim: free of %#x, which is no allocation", addr)
	}
	d.regions = append(d.regions[:i], d.regions[i+1:]...)
	return nil
}

// find returns the region that [addr, addr+n) lies in.
func (d *Device) find(addr uint64, n int) (*region, int) {
	i := sort.Search(len(d.regions), func(i int) bool { return d.regions[i].base > addr }) - 1
	if i < 0 {
		return nil, 0
	}
	r := d.regions[i]
	if off := addr - r.base; off+uint64(n) <= uint64(r.size) && off <= uint64(r.size) {
		return r, int(off)
	}
	return nil, 0
}

// Write copies b to the device.
func (d *Device) Write(addr uint64, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	r, off := d.find(addr, len(b))
	if r == nil {
		return fmt.Errorf("sim: a copy of %d bytes to %#x lies in no allocation", len(b), addr)
	}
	copy(r.bytes()[off:], b)
	d.written(r, off, len(b))
	return nil
}

// written marks bytes as the host's.
func (d *Device) written(r *region, off, n int) {
	if off%4 != 0 || n%4 != 0 || r.fine != nil {
		f := r.refine()
		for i := off; i < off+n; i++ {
			f.wr[i], f.rd[i] = hostStamp, 0
		}
		return
	}
	for i := off / 4; i < (off+n)/4; i++ {
		r.wr[i], r.rd[i] = hostStamp, 0
	}
}

// Zero writes n zero bytes.
func (d *Device) Zero(addr uint64, n int) error {
	if n == 0 {
		return nil
	}
	r, off := d.find(addr, n)
	if r == nil {
		return fmt.Errorf("sim: %d zeros to %#x lie in no allocation", n, addr)
	}
	clear(r.bytes()[off : off+n])
	d.written(r, off, n)
	return nil
}

// Read copies from the device to b. Bytes that nothing has written are read as they are.
func (d *Device) Read(b []byte, addr uint64) error {
	if len(b) == 0 {
		return nil
	}
	r, off := d.find(addr, len(b))
	if r == nil {
		return fmt.Errorf("sim: a copy of %d bytes from %#x lies in no allocation", len(b), addr)
	}
	copy(b, r.bytes()[off:])
	return nil
}

// locate finds the memory of one lane's access of n bytes.
func (w *warp) locate(sp space, addr uint64, n, lane int) (*region, int) {
	if sp == spaceGeneric {
		switch {
		case addr >= sharedWindow && addr < sharedWindow+windowSize:
			sp, addr = spaceShared, addr-sharedWindow
		case addr >= localWindow && addr < localWindow+windowSize:
			sp, addr = spaceLocal, addr-localWindow
		default:
			sp = spaceGlobal
		}
	}
	if addr%uint64(n) != 0 {
		w.fail(Misaligned, lane, "%d bytes at %#x", n, addr)
	}
	switch sp {
	case spaceShared:
		if addr+uint64(n) > uint64(w.b.shared.size) || addr > uint64(w.b.shared.size) {
			w.fail(Bounds, lane, "%d bytes at %#x of %d bytes of shared memory", n, addr, w.b.shared.size)
		}
		return w.b.shared, int(addr)
	case spaceLocal:
		r := w.local(lane)
		if addr+uint64(n) > uint64(r.size) || addr > uint64(r.size) {
			w.fail(Bounds, lane, "%d bytes at %#x of %d bytes of local memory", n, addr, r.size)
		}
		return r, int(addr)
	}
	if r := w.last; r != nil {
		if off := addr - r.base; off <= uint64(r.size) && off+uint64(n) <= uint64(r.size) {
			return r, int(off)
		}
	}
	r, off := w.b.d.find(addr, n)
	if r == nil {
		w.fail(Bounds, lane, "%s", w.b.d.describe(addr, n))
	}
	w.last = r
	return r, off
}

// describe says what lies nearest to an address that is in no allocation.
func (d *Device) describe(addr uint64, n int) string {
	i := sort.Search(len(d.regions), func(i int) bool { return d.regions[i].base > addr }) - 1
	if i >= 0 {
		if r := d.regions[i]; addr-r.base < uint64(r.size)+gap {
			return fmt.Sprintf("%d bytes at byte %d of %s, which has %d", n, addr-r.base, r.name(), r.size)
		}
	}
	if i+1 < len(d.regions) {
		if r := d.regions[i+1]; r.base-addr < gap {
			return fmt.Sprintf("%d bytes %d bytes before %s", n, r.base-addr, r.name())
		}
	}
	return fmt.Sprintf("%d bytes at %#x, which is in no allocation", n, addr)
}

// me is the stamp of a lane now.
func (w *warp) me(lane int) stamp {
	return w.b.stamp | stamp(w.b.clock)<<clockAt | stamp(w.id*32+lane+1)
}

// settled is below every stamp that could be in conflict with this warp now: a region's words whose stamps are below it need no
// closer look.
func (w *warp) settled(r *region) stamp {
	if r.base == 0 { // shared or local: the block's own
		return w.b.stamp | stamp(w.low)<<clockAt
	}
	return w.b.d.first << blockAt
}

// ordered tells whether an access with stamp s by another thread is known to come before what this lane does now. s is of the
// running launch.
func (w *warp) ordered(s stamp, lane int) bool {
	if s>>blockAt != w.b.stamp>>blockAt {
		return s>>blockAt < w.b.d.first
	}
	clock, agent := int(s>>clockAt&clockMask), int(s&threadMask)-1
	if clock < w.low {
		return true
	}
	if w.b.exact() {
		return clock < w.seen[agent]
	}
	return agent/32 == w.id && clock < w.synced
}

// checkRead looks closer at the last writer of what a lane reads.
func (w *warp) checkRead(s stamp, r *region, off, lane int) {
	switch {
	case s == 0 && r == w.b.shared:
		w.fail(Uninitialised, lane, "byte %d of shared memory is not written yet: never, or by a thread that no barrier puts before this one", off)
	case s == 0:
		w.fail(Uninitialised, lane, "byte %d of %s was never written", off, r.name())
	case s == guardStamp:
		w.fail(Bounds, lane, "byte %d of shared memory is between two variables", off)
	case s == pendingStamp:
		w.fail(Pending, lane, "byte %d of shared memory is being copied to and nobody waited", off)
	case s == barrierStamp:
		w.fail(Bounds, lane, "byte %d of shared memory is an mbarrier's", off)
	case s&threadMask == w.me(lane)&threadMask && s>>blockAt == w.b.stamp>>blockAt, w.ordered(s, lane):
	default:
		w.fail(Race, lane, "reads byte %d of %s, which %s wrote %s", off, r.name(), w.who(s), w.since(s))
	}
}

// checkWrite looks closer at the last writer and the last readers of what a lane writes.
func (w *warp) checkWrite(wr, rd stamp, r *region, off, lane int, atomic bool) {
	me := w.me(lane)
	own := func(s stamp) bool { return s&threadMask == me&threadMask && s>>blockAt == me>>blockAt }
	switch {
	case wr == 0 || own(wr):
	case wr == guardStamp:
		w.fail(Bounds, lane, "byte %d of shared memory is between two variables", off)
	case wr == pendingStamp:
		w.fail(Pending, lane, "byte %d of shared memory is being copied to and nobody waited", off)
	case wr == barrierStamp:
		w.fail(Bounds, lane, "byte %d of shared memory is an mbarrier's", off)
	case atomic && wr&flagAtomic != 0, w.ordered(wr, lane):
	default:
		w.fail(Race, lane, "writes byte %d of %s, which %s wrote %s", off, r.name(), w.who(wr), w.since(wr))
	}
	if rd == 0 || rd < w.settled(r) {
		return
	}
	switch {
	case rd&flagBlocks != 0:
		w.fail(Race, lane, "writes byte %d of %s, which other blocks read in this launch", off, r.name())
	case w.ordered(rd, lane) && rd&flagOther == 0:
	case rd>>blockAt == me>>blockAt && int(rd>>clockAt&clockMask) < w.low:
	case own(rd) && rd&(flagSame|flagOther) == 0:
	case own(rd):
		w.fail(Race, lane, "writes byte %d of %s, which other threads read %s", off, r.name(), w.since(rd))
	default:
		w.fail(Race, lane, "writes byte %d of %s, which %s read %s", off, r.name(), w.who(rd), w.since(rd))
	}
}

// reader is the reader's stamp after a lane's read of a word that rd read last.
func (w *warp) reader(rd stamp, lane int) stamp {
	me := w.me(lane)
	if rd>>blockAt != me>>blockAt {
		if rd>>blockAt >= w.b.d.first {
			return me | flagBlocks
		}
		return me
	}
	me |= rd & flagBlocks
	if int(rd>>clockAt&clockMask) < w.low {
		return me
	}
	me |= rd & (flagSame | flagOther)
	if t := rd & threadMask; t != me&threadMask {
		if (t-1)/32 == (me&threadMask-1)/32 {
			if int(rd>>clockAt&clockMask) >= w.synced {
				me |= flagSame
			}
		} else {
			me |= flagOther
		}
	}
	return me
}

// name is what messages call a region.
func (r *region) name() string {
	if r.what == "" {
		return fmt.Sprintf("the allocation at %#x", r.base)
	}
	return r.what
}

func (w *warp) who(s stamp) string {
	if s>>blockAt != w.b.stamp>>blockAt {
		return "another block"
	}
	switch t := int(s&threadMask) - 1; {
	case t >= copyAgent:
		return "a bulk copy"
	case t >= productAgent:
		return fmt.Sprintf("a product of warp %d", t-productAgent)
	}
	t := w.b.thread(int(s&threadMask) - 1)
	return fmt.Sprintf("thread (%d,%d,%d)", t[0], t[1], t[2])
}

func (w *warp) since(s stamp) string {
	if s>>blockAt != w.b.stamp>>blockAt {
		return "in this launch"
	}
	return "with no barrier between"
}

// touchRead checks and marks a lane's read of n bytes; touchWrite its write.
func (w *warp) touchRead(r *region, off, n, lane int) {
	if r.exact != nil {
		w.exactRead(r, off, n, lane)
		return
	}
	lim := w.settled(r)
	if n < 4 || r.fine != nil {
		f := r.refine()
		for i := off; i < off+n; i++ {
			if s := f.wr[i]; s-1 >= lim-1 {
				w.checkRead(s, r, i, lane)
			}
			f.rd[i] = w.reader(f.rd[i], lane)
		}
		return
	}
	for i := off / 4; i < (off+n)/4; i++ {
		if s := r.wr[i]; s-1 >= lim-1 {
			w.checkRead(s, r, 4*i, lane)
		}
		r.rd[i] = w.reader(r.rd[i], lane)
	}
}

func (w *warp) touchWrite(r *region, off, n, lane int, to stamp, atomic bool) {
	if r.exact != nil {
		w.exactWrite(r, off, n, lane, to, atomic)
		return
	}
	lim := w.settled(r)
	if n < 4 || r.fine != nil {
		f := r.refine()
		for i := off; i < off+n; i++ {
			if f.wr[i] >= lim || f.rd[i] >= lim {
				w.checkWrite(f.wr[i], f.rd[i], r, i, lane, atomic)
			}
			f.wr[i] = to
		}
		return
	}
	for i := off / 4; i < (off+n)/4; i++ {
		if r.wr[i] >= lim || r.rd[i] >= lim {
			w.checkWrite(r.wr[i], r.rd[i], r, 4*i, lane, atomic)
		}
		r.wr[i] = to
	}
}
