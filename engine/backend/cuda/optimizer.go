package cuda

import (
	"bytes"
	"encoding/binary"
	"math"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// table is a list of tensors on the card, as kernels/optimizer.cu reads it. It is written again when it changes: moments and
// parameters stay where they are, and gradients mostly come to lie where those of the update before did.
type table struct {
	addr    uint64
	bytes   int     // allocated
	content entries // what lies there
}

// entries is a table as it is written.
type entries []byte

const (
	tableEntry    = 88   // bytes of struct Tensor
	blockElements = 8192 // block_elements
)

// add adds a tensor. first is the first block that works on it; that of the next is returned.
func (t *entries) add(p, g, rounded, m, v, mtop, vtop uint64, n int, rate, decay float32, form backend.MomentForm, first, from int) int {
	le := binary.LittleEndian
	for _, x := range []uint64{p, g, rounded, m, v, mtop, vtop, uint64(n)} {
		*t = le.AppendUint64(*t, x)
	}
	for _, x := range []uint32{math.Float32bits(rate), math.Float32bits(decay), uint32(form), uint32(first), uint32(from), 0} {
		*t = le.AppendUint32(*t, x)
	}
	return first + (n+blockElements-1)/blockElements
}

// write brings a table to the card and returns its address. The caller holds the lock until what reads it was launched.
func (b *Backend) write(t *table, next entries) uint64 {
	if b.err != nil || t.addr != 0 && bytes.Equal(next, t.content) {
		return t.addr
	}
	if t.bytes < len(next) {
		if t.addr != 0 {
			b.dev.free(t.addr)
		}
		t.addr, t.bytes, t.content = 0, 0, nil
		addr, err := b.dev.alloc(len(next))
		if err != nil {
			b.fail(err)
			return 0
		}
		t.addr, t.bytes = addr, len(next)
	}
	t.content = next
	if err := b.dev.upload(t.addr, next); err != nil {
		b.fail(err)
		t.content = nil
	}
	return t.addr
}

// SumSquares writes the sum of the squares of xs[i] to out[i]. Blocks follow from the lengths alone, so the sum has one order.
func (b *Backend) SumSquares(out backend.Buffer, xs []backend.Buffer) {
	o := operands{b, "SumSquares"}
	to := o.f("out", out, len(xs))
	all := make(entries, 0, tableEntry*len(xs))
	blocks := 0
	for _, x := range xs {
		blocks = all.add(0, o.read("x", x, x.Len()).addr, 0, 0, 0, 0, 0, x.Len(), 0, 0, 0, blocks, 0)
	}
	if len(xs) == 0 {
		return
	}
	partial, free := b.scratch(blocks)
	defer free()
	b.mu.Lock()
	defer b.mu.Unlock()
	table := b.write(&b.squares, all)
	if blocks > 0 {
		b.start("optimizer_squares", [3]int{blocks, 1, 1}, [3]int{256, 1, 1}, 0, partial, table, i32(len(xs)))
	}
	b.start("optimizer_sum", [3]int{len(xs), 1, 1}, [3]int{256, 1, 1}, 0, to, partial, table)
}

// AdamW updates all tensors in one launch.
func (b *Backend) AdamW(tensors []backend.AdamWTensor, s backend.AdamWStep) {
	o := operands{b, "AdamW"}
	all := make(entries, 0, tableEntry*len(tensors))
	blocks, codes := 0, uint64(0)
	for i := range tensors {
		x := &tensors[i]
		n := x.Check()
		s.Of(x) // panics for a step below 1
		form := x.Moments.Form.Of(n)
		dt, words, tops := form.Sizes(n)
		p, g, rounded := o.f("p", x.P, n), o.read("g", x.G, n).addr, o.maybe("rounded", x.Rounded, n)
		var m, v, mtop, vtop uint64
		if dt == tensor.F32 {
			m, v = o.f("m", x.Moments.M, words), o.f("v", x.Moments.V, words)
		} else {
			m, v = o.i("m", x.Moments.M, words), o.i("v", x.Moments.V, words)
		}
		if form == backend.Moments8 {
			mtop, vtop = o.f("mtop", x.Moments.MTop, tops), o.f("vtop", x.Moments.VTop, tops)
			codes = b.codes()
		}
		blocks = all.add(p, g, rounded, m, v, mtop, vtop, n, float32(x.Rate), float32(x.WeightDecay), form, blocks, x.From)
	}
	if blocks == 0 {
		return
	}
	beta1, beta2 := float64(float32(s.Beta1)), float64(float32(s.Beta2)) // the kernel's numbers: what follows from them fits them
	c1, c2 := 1/(1-math.Pow(beta1, float64(s.Step))), 1/(1-math.Pow(beta2, float64(s.Step)))
	f := func(x float64) uint64 { return f32(float32(x)) }
	b.mu.Lock()
	defer b.mu.Unlock()
	b.start("optimizer_adamw", [3]int{blocks, 1, 1}, [3]int{256, 1, 1}, 0, b.write(&b.updates, all), i32(len(tensors)), codes, f(s.GradScale),
		f(beta1), f(beta2), f(1-beta1), f(1-beta2), f(c1), f(c2), f(s.LR), f(s.Eps), i32(s.Step), i32(int(backend.Signed8.Zero)))
}

// codes returns where the codes of 8-bit moments lie.
func (b *Backend) codes() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.codes8 != 0 || b.err != nil {
		return b.codes8
	}
	var x [1024]float32
	copy(x[:256], backend.Signed8.Values[:])
	copy(x[256:512], backend.Unsigned8.Values[:])
	copy(x[512:767], backend.Signed8.Middle[:])
	copy(x[768:1023], backend.Unsigned8.Middle[:])
	addr, err := b.dev.alloc(4 * len(x))
	if err == nil {
		err = b.dev.upload(addr, bytesOf(x[:]))
	}
	b.fail2(err)
	b.codes8 = addr
	return addr
}
