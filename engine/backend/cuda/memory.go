package cuda

import (
	"fmt"
	"unsafe"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// buffer is elements on the card.
type buffer struct {
	b     *Backend
	addr  uint64
	n     int
	dt    tensor.DType
	whole bool // not a slice
	mem   *allocation
}

// allocation is memory that a buffer and its slices share.
type allocation struct {
	writes uint64 // counts what may have changed it
}

func (x *buffer) DType() tensor.DType { return x.dt }
func (x *buffer) Len() int            { return x.n }

// Slice returns elements [from, to) of the same memory.
func (x *buffer) Slice(from, to int) backend.Buffer {
	if from < 0 || to < from || to > x.n {
		panic(fmt.Sprintf("cuda: slice [%d:%d] of a buffer of %d elements", from, to, x.n))
	}
	return &buffer{b: x.b, addr: x.addr + uint64(4*from), n: to - from, dt: x.dt, mem: x.mem}
}

// Alloc returns n zeros. Where the card has no room it returns a buffer that nothing is done with, and the next Sync or
// Download says what is missing.
func (b *Backend) Alloc(dt tensor.DType, n int) backend.Buffer {
	x := b.AllocUninit(dt, n).(*buffer)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.fail2(b.dev.zero(x.addr, 4*n))
	}
	return x
}

// AllocUninit returns n elements of any value.
func (b *Backend) AllocUninit(dt tensor.DType, n int) backend.Buffer {
	if n < 0 {
		panic(fmt.Sprintf("cuda: Alloc of %d elements", n))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	x := &buffer{b: b, n: n, dt: dt, whole: true, mem: &allocation{}}
	addr, err := b.dev.alloc(4 * n)
	if err != nil && b.dropPacks(0) {
		addr, err = b.dev.alloc(4 * n)
	}
	b.fail2(err)
	x.addr = addr
	return x
}

// fail2 is fail for what may be nil.
func (b *Backend) fail2(err error) {
	if err != nil {
		b.fail(err)
	}
}

// Free gives a whole buffer back. Work that was started before may still use it: the card gets to it first.
func (b *Backend) Free(buf backend.Buffer) {
	x := b.own("Free", "buffer", buf)
	if !x.whole {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if x.addr != 0 {
		b.dev.free(x.addr)
	}
	x.addr, x.n = 0, 0
	b.forget(x.mem)
}

// sweep frees the tables of Segments that were collected.
func (b *Backend) sweep() {
	for _, addr := range b.garbage {
		b.dev.free(addr)
	}
	b.garbage = b.garbage[:0]
}

// bytesOf is a slice's memory.
func bytesOf[T float32 | int32](x []T) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
}

func (b *Backend) upload(op string, dst backend.Buffer, dt tensor.DType, src []byte) {
	x := b.own(op, "dst", dst)
	x.want(op, "dst", dt, len(src)/4)
	b.mu.Lock()
	defer b.mu.Unlock()
	x.mem.writes++
	if b.err == nil && len(src) > 0 {
		b.fail2(b.dev.upload(x.addr, src))
	}
}

func (b *Backend) download(op string, dst []byte, src backend.Buffer, dt tensor.DType) error {
	x := b.own(op, "src", src)
	x.want(op, "src", dt, len(dst)/4)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.take(); err != nil {
		return err
	}
	if len(dst) == 0 {
		return b.dev.sync()
	}
	return b.dev.download(dst, x.addr)
}

// Upload copies src to the start of dst.
func (b *Backend) Upload(dst backend.Buffer, src []float32) {
	b.upload("Upload", dst, tensor.F32, bytesOf(src))
}

// UploadInts copies src to the start of dst.
func (b *Backend) UploadInts(dst backend.Buffer, src []int32) {
	b.upload("UploadInts", dst, tensor.I32, bytesOf(src))
}

// Download waits for all earlier calls and copies the start of src to dst. It returns the first failure since the last
// Download or Sync; dst is then as it was.
func (b *Backend) Download(dst []float32, src backend.Buffer) error {
	return b.download("Download", bytesOf(dst), src, tensor.F32)
}

// DownloadInts is Download for integers.
func (b *Backend) DownloadInts(dst []int32, src backend.Buffer) error {
	return b.download("DownloadInts", bytesOf(dst), src, tensor.I32)
}

// Sync waits for all earlier calls and returns the first failure since the last Sync or Download.
func (b *Backend) Sync() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.dev.sync()
	if failed := b.take(); failed != nil {
		return failed
	}
	return err
}

// own returns a buffer of this backend. It panics for another one's.
func (b *Backend) own(op, name string, buf backend.Buffer) *buffer {
	x, ok := buf.(*buffer)
	if !ok || x.b != b && (x.b != b.of || op == "Free") {
		panic(fmt.Sprintf("%s: %s is a %T of another device; %s wants its own", op, name, buf, b.name))
	}
	return x
}

// want panics unless the buffer holds n elements of that type.
func (x *buffer) want(op, name string, dt tensor.DType, n int) {
	if x.dt != dt {
		panic(fmt.Sprintf("%s: %s holds %s; wanted %s", op, name, x.dt, dt))
	}
	if x.n < n {
		panic(fmt.Sprintf("%s: %s holds %d elements; wanted %d", op, name, x.n, n))
	}
}

// Address returns where a buffer of this backend lies, for a Program's arguments.
func (b *Backend) Address(buf backend.Buffer) uint64 {
	x := b.own("Address", "buffer", buf)
	x.mem.writes++
	return x.addr
}

// operands checks the operands of one operation.
type operands struct {
	b  *Backend
	op string
}

// f returns the address of an operand of n floats, which the operation may write; it panics when there are fewer.
func (o operands) f(name string, buf backend.Buffer, n int) uint64 {
	x := o.read(name, buf, n)
	x.wrote()
	return x.addr
}

// span is floats that an operation reads, and whose memory they are.
type span struct {
	addr uint64
	mem  *allocation
}

// wrote says that the memory may have changed.
func (s span) wrote() { s.mem.writes++ }

// from is the span n elements on.
func (s span) from(n int) span { return span{s.addr + uint64(4*n), s.mem} }

// read is f for an operand that the operation does not write, so that what was packed of it stays good.
func (o operands) read(name string, buf backend.Buffer, n int) span {
	x := o.b.own(o.op, name, buf)
	x.want(o.op, name, tensor.F32, n)
	return span{x.addr, x.mem}
}

// maybe is f for an operand that may be nil, which is address 0.
func (o operands) maybe(name string, buf backend.Buffer, n int) uint64 {
	if buf == nil {
		return 0
	}
	return o.f(name, buf, n)
}

// i is f for integers.
func (o operands) i(name string, buf backend.Buffer, n int) uint64 {
	x := o.b.own(o.op, name, buf)
	x.want(o.op, name, tensor.I32, n)
	return x.addr
}

// scratch is memory for one operation; free gives it back once the operation has been launched.
func (b *Backend) scratch(n int) (addr uint64, free func()) {
	x := b.AllocUninit(tensor.F32, n).(*buffer)
	return x.addr, func() { b.Free(x) }
}

// scratchSpan is scratch for a product's operand.
func (b *Backend) scratchSpan(n int) (s span, free func()) {
	x := b.AllocUninit(tensor.F32, n).(*buffer)
	return span{x.addr, x.mem}, func() { b.Free(x) }
}
