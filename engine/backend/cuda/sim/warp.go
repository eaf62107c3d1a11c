package sim

import (
	"fmt"
	"math/bits"
)

// op says how the engine steps over an instruction.
type op uint8

const (
	opRun     op = iota // run does it
	opBranch            // to target
	opExit              // the lane ends
	opBarrier           // the block's barrier, or one for some of its warps
	opWarp              // run needs all lanes of the member mask
	opTry               // run may leave the lane to come back
)

// instr is one decoded instruction.
type instr struct {
	run      func(w *warp, m uint32)
	op       op
	guardNeg bool
	guard    int // predicate, or -1
	target   int
	members  int            // register of the member mask of opWarp, or -1 for all 32 lanes
	collect  func(b *block) // opBarrier: what happens once all warps have arrived
	some     *someBarrier   // opBarrier: the barrier is one for some warps
	moves    []int          // a mov of 32 bits: the register that it writes, and the one that it copies if any
	product  bool           // one of wgmma's

	use32, use64, usep []int // registers that must hold a value
	set32, set64, setp []int // registers that hold one afterwards
	at                 int   // its place in the code

	text string
	line int
	loc  *location
}

const fullMask = ^uint32(0)

// group is lanes of a warp that stand at the same instruction.
type group struct {
	pc   int
	mask uint32
	wait op // opRun: can go on; opBarrier or opWarp: waits for others
}

// warp is 32 threads.
type warp struct {
	b    *block
	id   int
	r32  [][32]uint32
	r64  [][32]uint64
	p    []uint32 // a bit for each lane
	d32  []uint32 // lanes in which the register holds a value
	d64  []uint32
	dp   []uint32
	done []uint32 // by instruction: lanes that have run it, whose registers therefore need no second look
	all  uint32   // lanes that exist
	live uint32   // lanes that have not ended
	g    []group
	cur  *instr
	last *region // the allocation used last

	low    int   // accesses at a clock below this come before what this warp does next
	synced int   // those of its own lanes do below this
	seen   []int // in exact blocks, by agent: its accesses do below this
	steps  int64
	state  state
	tries  bool      // the last opTry wants to come back
	waits  *mbarrier // for this
	groups *products // what the warp knows of asynchronous products, in kernels that have some
	fenced []int     // by thread: its writes at a clock below this may be read by products and overwritten by copies

	locals [32]*region

	copies [32]copyQueue

	arrived uint32 // lanes at the barrier
	at      int    // the pc of that barrier
}

// block is one thread block.
type block struct {
	d         *Device
	k         *Kernel
	id        [3]int
	dim, grid [3]int
	params    []byte
	warps     []*warp
	shared    *region
	stamp     stamp // the block's number in its place
	clock     int

	barriers map[int]*mbarrier // by place in shared memory
	some     [16]someArrivals  // barriers for some warps
	orders   map[int][]int     // by warpgroup: the places in the code of its products, in order
}

// state is why a warp stopped.
type state uint8

const (
	running state = iota
	ended
	atBarrier // of the whole block
	atSome    // a barrier for some warps
	trying    // it waits for an mbarrier
)

// thread returns the coordinates of a thread of the block.
func (b *block) thread(i int) [3]int {
	return [3]int{i % b.dim[0], i / b.dim[0] % b.dim[1], i / b.dim[0] / b.dim[1]}
}

// tick begins a new period of the block's clock.
func (b *block) tick(w *warp) {
	if b.clock++; b.clock > maxClock {
		w.fail(Limit, 0, "more than %d barriers in one block", maxClock)
	}
}

var specials = map[string]bool{
	"%tid.x": true, "%tid.y": true, "%tid.z": true, "%ntid.x": true, "%ntid.y": true, "%ntid.z": true,
	"%ctaid.x": true, "%ctaid.y": true, "%ctaid.z": true, "%nctaid.x": true, "%nctaid.y": true, "%nctaid.z": true,
	"%laneid": true, "%warpid": true, "%lanemask_lt": true,
}

// value returns a special register of a thread.
func (b *block) value(name string, t int) int {
	axis := int(name[len(name)-1]) - 'x'
	switch name {
	case "%laneid":
		return t % 32
	case "%warpid":
		return t / 32
	case "%lanemask_lt":
		return 1<<(t%32) - 1
	}
	switch name[:len(name)-2] {
	case "%tid":
		return b.thread(t)[axis]
	case "%ntid":
		return b.dim[axis]
	case "%ctaid":
		return b.id[axis]
	default:
		return b.grid[axis]
	}
}

// prepare makes the warps of a block once for all blocks of a launch.
func (b *block) prepare(sharedBytes int) {
	n := b.dim[0] * b.dim[1] * b.dim[2]
	b.shared = newRegion(0, sharedBytes, "shared memory")
	b.warps = b.warps[:0]
	for id := 0; id*32 < n; id++ {
		w := &warp{b: b, id: id, r32: make([][32]uint32, b.k.n32), r64: make([][32]uint64, b.k.n64), p: make([]uint32, b.k.np),
			d32: make([]uint32, b.k.n32), d64: make([]uint32, b.k.n64), dp: make([]uint32, b.k.np), done: make([]uint32, len(b.k.code))}
		w.all = fullMask
		if rest := n - id*32; rest < 32 {
			w.all = 1<<rest - 1
		}
		if b.k.products {
			w.groups = newProducts(b.k.n32)
		}
		for _, c := range b.k.consts32 {
			for l := range 32 {
				w.r32[c.slot][l] = c.v
			}
		}
		for _, c := range b.k.consts64 {
			v := c.v
			if c.global != "" {
				v += b.d.modules[b.k.module][c.global]
			}
			for l := range 32 {
				w.r64[c.slot][l] = v
			}
		}
		b.warps = append(b.warps, w)
	}
}

// start puts all warps at the beginning of block id.
func (b *block) start(id [3]int, number stamp) {
	b.id, b.stamp, b.clock = id, number<<blockAt, 1
	clear(b.shared.wr)
	clear(b.shared.rd)
	b.shared.fine = nil
	if b.k.exact {
		if b.shared.exact == nil {
			b.shared.exact = &exactReads{}
		}
		b.shared.exact.begin(b.shared.size)
		b.barriers, b.some, b.orders = map[int]*mbarrier{}, [16]someArrivals{}, map[int][]int{}
	}
	for _, at := range b.k.guards {
		for i := range guardBytes / 4 {
			b.shared.wr[at/4+i] = guardStamp
		}
	}
	for _, w := range b.warps {
		clear(w.done)
		clear(w.d32)
		clear(w.d64)
		clear(w.dp)
		for _, c := range b.k.consts32 {
			w.d32[c.slot] = fullMask
		}
		for _, c := range b.k.consts64 {
			w.d64[c.slot] = fullMask
		}
		for _, c := range b.k.constsp {
			w.dp[c.slot] = fullMask
			if c.yes {
				w.p[c.slot] = fullMask
			}
		}
		for _, s := range b.k.specials {
			w.d32[s.slot] = fullMask
			for l := range 32 {
				w.r32[s.slot][l] = uint32(b.value(s.name, w.id*32+l))
			}
		}
		w.live, w.locals, w.arrived, w.cur, w.state = w.all, [32]*region{}, 0, &b.k.code[0], running
		w.know(1)
		if w.groups != nil {
			w.groups.begin()
		}
		w.copies = [32]copyQueue{}
		w.g = append(w.g[:0], group{0, w.all, opRun})
	}
}

// run runs the block that start prepared to its end.
func (b *block) run() {
	for idle := 0; ; {
		clock, alive, met, free := b.clock, 0, 0, 0
		var spins *warp
		for _, w := range b.warps {
			if w.state == running || w.state == trying {
				w.state = w.run()
				if w.state == atSome {
					b.meet(w)
				}
			}
		}
		for _, w := range b.warps {
			switch w.state {
			case ended:
				continue
			case atBarrier:
				met++
			case running:
				free++
			case trying:
				free++
				spins = w
			}
			alive++
		}
		switch {
		case alive == 0:
			b.finish()
			return
		case met == alive:
			b.release()
		case free == 0:
			b.deadlock()
		case b.clock != clock || spins == nil:
			idle = 0
		default:
			if idle++; idle > 64 { // rounds in which nothing happened
				spins.stalled()
			}
		}
	}
}

// release lets all warps go on from the block's barrier.
func (b *block) release() {
	var first *warp
	for _, w := range b.warps {
		if w.state != atBarrier {
			continue
		}
		if first == nil {
			first = w
		} else if first.at != w.at {
			w.cur = &b.k.code[w.at]
			lane := bits.TrailingZeros32(w.arrived)
			w.fail(Divergence, lane, "warp %d waits at this barrier and warp %d at another (PTX line %d)", w.id, first.id, b.k.code[first.at].line)
		}
	}
	in := &b.k.code[first.at]
	if in.collect != nil {
		in.collect(b)
	}
	first.cur = in
	b.tick(first)
	b.pool()
	for _, w := range b.warps {
		if w.state == atBarrier {
			w.proceed()
		}
	}
}

// proceed lets a warp go on from a barrier.
func (w *warp) proceed() {
	w.state = running
	w.g[0].wait = opRun
	w.g[0].pc++
}

// lanes lists the lanes of a mask.
func lanes(m uint32) string {
	s := ""
	for ; m != 0; m &= m - 1 {
		if s != "" {
			s += ", "
		}
		s += fmt.Sprint(bits.TrailingZeros32(m))
	}
	return s
}

// merge joins groups that stand at the same instruction.
func (w *warp) merge() {
	for i := 0; i < len(w.g); i++ {
		for j := i + 1; j < len(w.g); j++ {
			if w.g[i].pc == w.g[j].pc {
				w.g[i].mask |= w.g[j].mask
				w.g[i].wait = opRun
				w.g = append(w.g[:j], w.g[j+1:]...)
				j--
			}
		}
	}
}

// run goes on until the warp has ended or waits for other warps.
func (w *warp) run() state {
	code := w.b.k.code
	for len(w.g) > 0 {
		gi := 0
		limit := len(code)
		if len(w.g) > 1 {
			// Of several groups the one that is furthest back goes on, as far as the next one.
			w.merge()
			gi = -1
			for i := range w.g {
				switch g := &w.g[i]; {
				case g.wait != opRun:
				case gi < 0 || g.pc < w.g[gi].pc:
					gi = i
				}
			}
			if gi < 0 {
				w.stuck()
			}
			for i := range w.g {
				if pc := w.g[i].pc; i != gi && pc > w.g[gi].pc {
					limit = min(limit, pc)
				}
			}
		}
		if s := w.step(gi, limit); s != running {
			return s
		}
	}
	return ended
}

// stuck reports groups of a warp that all wait, at different places.
func (w *warp) stuck() {
	a, b := w.g[0], w.g[1]
	w.cur = &w.b.k.code[a.pc]
	other := &w.b.k.code[b.pc]
	w.fail(Divergence, bits.TrailingZeros32(a.mask), "lanes %s of warp %d wait here and lanes %s at PTX line %d: %s", lanes(a.mask), w.id, lanes(b.mask), other.line, other.text)
}

// step runs group gi until it splits, waits, ends or reaches limit. It returns a state other than running when the warp waits for
// other warps.
func (w *warp) step(gi, limit int) state {
	code := w.b.k.code
	pc, mask := w.g[gi].pc, w.g[gi].mask
	for {
		in := &code[pc]
		w.cur = in
		m := mask
		if in.guard >= 0 {
			if w.dp[in.guard]&mask != mask {
				w.undefined(mask&^w.dp[in.guard], "the predicate of this instruction")
			}
			if in.guardNeg {
				m &^= w.p[in.guard]
			} else {
				m &= w.p[in.guard]
			}
		}
		w.steps += int64(bits.OnesCount32(m))
		switch in.op {
		case opRun:
			if m != 0 {
				w.exec(in, m)
			}
			pc++
		case opBranch:
			switch {
			case m == 0:
				pc++
			case m == mask:
				pc = in.target
			default:
				w.g[gi].pc, w.g[gi].mask = pc+1, mask&^m
				w.g = append(w.g, group{in.target, m, opRun})
				return running
			}
			if pc >= limit || len(w.g) > 1 && pc < w.g[gi].pc {
				w.g[gi].pc = pc
				return running
			}
			continue
		case opExit:
			w.live &^= m
			if mask &^= m; mask == 0 {
				w.g = append(w.g[:gi], w.g[gi+1:]...)
				return running
			}
			pc++
		case opBarrier:
			if m != mask {
				w.fail(Divergence, bits.TrailingZeros32(mask&^m), "a barrier that lanes %s of the warp skip", lanes(mask&^m))
			}
			w.g[gi].pc, w.g[gi].mask, w.g[gi].wait = pc, mask, opBarrier
			if len(w.g) == 1 {
				for _, s := range in.usep {
					if w.dp[s]&m != m {
						w.undefined(m&^w.dp[s], "a predicate")
					}
				}
				w.arrived, w.at = mask, pc
				if in.some != nil {
					return atSome
				}
				return atBarrier
			}
			return running
		case opWarp:
			need := fullMask
			if in.members >= 0 {
				need = w.r32[in.members][bits.TrailingZeros32(m)&31]
			}
			if missing := need & w.live &^ m; missing != 0 {
				if len(w.g) == 1 {
					w.fail(Divergence, bits.TrailingZeros32(m), "lanes %s of the member mask %#x do not take part", lanes(missing), need)
				}
				w.g[gi].pc, w.g[gi].mask, w.g[gi].wait = pc, mask, opWarp
				return running
			}
			if extra := m &^ need; extra != 0 {
				w.fail(Divergence, bits.TrailingZeros32(extra), "lanes %s take part and are not in the member mask %#x", lanes(extra), need)
			}
			w.exec(in, m)
			pc++
		case opTry:
			w.tries = false
			if m != 0 {
				w.exec(in, m)
			}
			if pc++; w.tries {
				w.g[gi].pc, w.g[gi].mask = pc, mask
				return trying
			}
		}
		if pc >= limit {
			w.g[gi].pc, w.g[gi].mask = pc, mask
			return running
		}
	}
}

// exec runs an instruction.
func (w *warp) exec(in *instr, m uint32) {
	if w.groups == nil {
		w.execute(in, m)
		return
	}
	w.groups.before(w, in)
	w.execute(in, m)
	w.groups.after(in)
}

// execute checks that what an instruction reads holds values, runs it, and marks what it wrote.
func (w *warp) execute(in *instr, m uint32) {
	if m&^w.done[in.at] == 0 {
		in.run(w, m)
		return
	}
	for _, s := range in.use32 {
		if w.d32[s]&m != m {
			w.undefined(m&^w.d32[s], "a register")
		}
	}
	for _, s := range in.use64 {
		if w.d64[s]&m != m {
			w.undefined(m&^w.d64[s], "a register")
		}
	}
	for _, s := range in.usep {
		if w.dp[s]&m != m {
			w.undefined(m&^w.dp[s], "a predicate")
		}
	}
	in.run(w, m)
	for _, s := range in.set32 {
		w.d32[s] |= m
	}
	for _, s := range in.set64 {
		w.d64[s] |= m
	}
	for _, s := range in.setp {
		w.dp[s] |= m
	}
	w.done[in.at] |= m
}

func (w *warp) undefined(m uint32, what string) {
	w.fail(Uninitialised, bits.TrailingZeros32(m), "%s that this instruction reads was never written", what)
}

// local is a lane's local memory.
func (w *warp) local(lane int) *region {
	if w.locals[lane] == nil {
		w.locals[lane] = newRegion(0, w.b.k.local, "local memory")
	}
	return w.locals[lane]
}

// Launch runs a kernel. args are the bits of its parameters, in order; shared is the dynamic shared memory in bytes. What the
// kernel does wrong comes back as a *Fault; memory then holds what had been written.
func (d *Device) Launch(k *Kernel, grid, dim [3]int, shared int, args []uint64) (err error) {
	if len(args) != len(k.Params) {
		return fmt.Errorf("sim: %s: %d arguments; wanted %d", k.Name, len(args), len(k.Params))
	}
	n := dim[0] * dim[1] * dim[2]
	limit := 1024
	if k.MaxThreads > 0 {
		limit = k.MaxThreads
	}
	for i, v := range grid {
		if top := [3]int{1<<31 - 1, 65535, 65535}[i]; v < 1 || v > top || dim[i] < 1 {
			return fmt.Errorf("sim: %s: grid %v of blocks %v; wanted at least 1 everywhere and at most 2147483647, 65535, 65535 blocks", k.Name, grid, dim)
		}
	}
	if n > limit {
		return fmt.Errorf("sim: %s: blocks of %d threads; it was compiled for at most %d", k.Name, n, limit)
	}
	total := k.Shared
	if shared > 0 {
		total = k.dynamicAt + shared
	}
	if total-len(k.guards)*(guardBytes+16) > 227<<10 {
		return fmt.Errorf("sim: %s: %d bytes of shared memory; the largest card has %d", k.Name, total, 227<<10)
	}
	params := make([]byte, k.paramBytes)
	for i, p := range k.Params {
		if p.Bytes > 8 {
			return fmt.Errorf("sim: %s: parameter %d has %d bytes; wanted at most 8", k.Name, i+1, p.Bytes)
		}
		for j := range p.Bytes {
			params[p.at+j] = byte(args[i] >> (8 * j))
		}
	}
	d.place(k.module)
	b := d.pool[k]
	if b == nil || b.dim != dim || b.shared.size != total {
		b = &block{d: d, k: k, dim: dim}
		b.prepare(total)
		d.pool[k] = b
	}
	b.grid, b.params = grid, params
	d.first = d.blocks + 1
	defer func() {
		for _, w := range b.warps {
			d.Instructions += w.steps
			w.steps = 0
		}
		if r := recover(); r != nil {
			f, ok := r.(*Fault)
			if !ok {
				panic(r)
			}
			err = f
		}
	}()
	for z := range grid[2] {
		for y := range grid[1] {
			for x := range grid[0] {
				d.blocks++
				b.start([3]int{x, y, z}, d.blocks)
				b.run()
			}
		}
	}
	return nil
}

// place puts a module's variables into memory at its first launch.
func (d *Device) place(m *Module) {
	if d.modules[m] != nil {
		return
	}
	at := map[string]uint64{}
	for _, g := range m.globals {
		at[g.name] = d.Alloc(len(g.bytes), "variable "+g.name)
		if err := d.Write(at[g.name], g.bytes); err != nil {
			panic(err) // it was allocated a line above
		}
	}
	d.modules[m] = at
}
