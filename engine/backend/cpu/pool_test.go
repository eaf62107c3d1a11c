package cpu

import (
	"fmt"
	"math"
	"sync/atomic"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

type countTask struct {
	hits    []atomic.Int32
	failing int
}

func (t *countTask) do(_, i int) {
	if i == t.failing {
		panic("item failed")
	}
	t.hits[i].Add(1)
}

func TestPoolRunsEveryItemOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		p := newPool(threads)
		for n := range 300 {
			c := &countTask{hits: make([]atomic.Int32, n), failing: -1}
			p.run(n, c)
			for i := range c.hits {
				if h := c.hits[i].Load(); h != 1 {
					t.Fatalf("%d threads: item %d of %d ran %d times", threads, i, n, h)
				}
			}
		}
	}
}

func TestPoolSurvivesAPanic(t *testing.T) {
	for _, threads := range []int{1, 3} {
		p := newPool(threads)
		func() {
			defer func() {
				if r := recover(); r != "item failed" {
					t.Errorf("%d threads: recovered %v", threads, r)
				}
			}()
			p.run(20, &countTask{hits: make([]atomic.Int32, 20), failing: 7})
		}()
		c := &countTask{hits: make([]atomic.Int32, 20), failing: -1}
		p.run(20, c)
		for i := range c.hits {
			if c.hits[i].Load() != 1 {
				t.Errorf("%d threads: after a panic item %d ran %d times", threads, i, c.hits[i].Load())
			}
		}
	}
}

// step runs one call of every operation and returns all results; the shapes cut into several items everywhere.
func step(b *Backend) map[string][]float32 {
	const t, c, h, kh, d, v = 300, 96, 6, 3, 16, 500
	rng := numbers{tensor.NewRNG(3, "step")}
	x, y, w := up(b, rng.floats(t*c, 1)), up(b, rng.floats(t*c, 1)), up(b, rng.floats(v*c, .2))
	norm, rstd := up(b, rng.floats(c, 1)), up(b, make([]float32, t))
	q, k, val := up(b, rng.floats(t*h*d, 1)), up(b, rng.floats(t*kh*d, 1)), up(b, rng.floats(t*kh*d, 1))
	ids, pos := make([]int32, t), make([]int32, t)
	for i := range ids {
		ids[i], pos[i] = int32(rng.rng.Intn(v)), int32(i%77)
	}
	idsB, posB, freqs := upInts(b, ids), upInts(b, pos), up(b, rng.floats(d/2, 1))
	segs := &backend.Segments{List: []backend.Segment{seg(0, 20, 0, 20), seg(20, 280, 20, 280)}}
	out := map[string][]float32{}
	alloc := func(n int) backend.Buffer { return b.Alloc(tensor.F32, n) }
	keep := func(name string, bufs ...backend.Buffer) {
		for i, x := range bufs {
			out[fmt.Sprint(name, i)] = down(b, x)
		}
	}
	o, sum := alloc(t*c), alloc(t*c)
	b.RMSNormForward(o, sum, rstd, x, y, norm, t, c, 1e-5)
	keep("RMSNormForward", o, sum, rstd)
	dx, dw := alloc(t*c), alloc(c)
	b.RMSNormBackward(dx, dw, y, x, sum, norm, rstd, t, c)
	keep("RMSNormBackward", dx, dw)
	for _, op := range []backend.MatOp{backend.NT, backend.NN, backend.TN} {
		for _, m := range []int{1, 16, 40, 300} {
			r := alloc(m * c)
			b.MatMul(r, w, w, m, c, 100, op, 1, 0)
			keep(fmt.Sprint("MatMul ", op, m), r)
		}
	}
	b.RoPE(o, x, posB, freqs, t, h, d, backend.Half, false)
	keep("RoPE", o)
	b.SwiGLUForward(o, x, y, t*c)
	b.SwiGLUBackward(dx, sum, o, x, y, t*c)
	keep("SwiGLU", o, dx, sum)
	att, lse := alloc(t*h*d), alloc(t*h)
	b.AttentionForward(att, lse, q, k, val, segs, h, kh, d, .25)
	keep("AttentionForward", att, lse)
	dq, dk, dv := alloc(t*h*d), alloc(t*kh*d), alloc(t*kh*d)
	b.AttentionBackward(dq, dk, dv, x, q, k, val, att, lse, segs, h, kh, d, .25)
	keep("AttentionBackward", dq, dk, dv)
	nll, dW := alloc(t), alloc(v*c)
	b.LinearCrossEntropy(nll, dx, dW, x, w, idsB, nil, t, c, v, .1)
	keep("LinearCrossEntropy", nll, dx, dW)
	b.EmbeddingBackward(dW, x, idsB, t, c)
	keep("EmbeddingBackward", dW)
	one := alloc(1)
	b.SumSquares(one, []backend.Buffer{dW})
	keep("SumSquares", one)
	m, s := alloc(v*c), alloc(v*c)
	step := backend.AdamWStep{LR: .01, Beta1: .9, Beta2: .99, Eps: 1e-8, GradScale: .5, Step: 3}
	b.AdamW([]backend.AdamWTensor{{P: w, G: dW, Moments: backend.Moments{M: m, V: s}, Rate: 1, WeightDecay: .1}}, step)
	keep("AdamW", w, m, s)
	for _, form := range []backend.MomentForm{backend.MomentsBF16, backend.Moments8} {
		x := backend.NewMoments(b, form, v*c)
		x.Clear(b)
		b.AdamW([]backend.AdamWTensor{{P: w, G: dW, Moments: x, Rate: 1}, {P: m, G: dW, Moments: backend.Moments{M: alloc(v * c), V: s}, Rate: 1}}, step)
		keep("AdamW, "+form.String(), w, m)
	}
	return out
}

// TestSameBitsOnAnyNumberOfThreads is the promise of package backend.
func TestSameBitsOnAnyNumberOfThreads(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		want := step(newBackend(1, k))
		for _, threads := range []int{2, 5} {
			got := step(newBackend(threads, k))
			for name, w := range want {
				for i := range w {
					if math.Float32bits(got[name][i]) != math.Float32bits(w[i]) {
						t.Errorf("%s: element %d is %g on %d threads and %g on 1", name, i, got[name][i], threads, w[i])
						break
					}
				}
			}
		}
	})
}

// TestNoAllocation checks that operations work in memory that they have.
func TestNoAllocation(t *testing.T) {
	b := New(2)
	const n, c = 200, 64
	rng := numbers{tensor.NewRNG(1, "alloc")}
	x, y, z := up(b, rng.floats(n*c, 1)), up(b, rng.floats(n*c, 1)), up(b, rng.floats(n*c, 1))
	w, r, lse := up(b, rng.floats(c, 1)), up(b, rng.floats(n, 1)), up(b, make([]float32, n*4))
	dx, dw := up(b, make([]float32, n*c)), up(b, make([]float32, n*c))
	ids, freqs := upInts(b, make([]int32, n)), up(b, rng.floats(8, 1))
	segs := &backend.Segments{List: []backend.Segment{seg(0, 50, 0, 50), seg(50, 150, 50, 150)}}
	norms := []backend.Buffer{x, y}
	updates := []backend.AdamWTensor{{P: z, G: x, Moments: backend.Moments{M: dx, V: dw}, Rate: 1}}
	for _, form := range []backend.MomentForm{backend.MomentsBF16, backend.Moments8} {
		m := backend.NewMoments(b, form, n*c)
		m.Clear(b)
		updates = append(updates, backend.AdamWTensor{P: up(b, make([]float32, n*c)), G: y, Moments: m, Rate: 1, Rounded: up(b, make([]float32, n*c))})
	}
	all := func() {
		b.MatMul(z, x, y, 64, 200, 64, backend.NT, 1, 0)
		b.MatMul(z, x, y, 8, 200, 64, backend.NT, 1, 0)
		b.MatMul(z, x, y, 64, 64, 200, backend.TN, 1, 1)
		b.RMSNormForward(z, nil, r, x, nil, w, n, c, 1e-5)
		b.RMSNormBackward(z, w, x, nil, y, w, r, n, c)
		b.AttentionForward(z, lse, x, y, y, segs, 4, 4, 16, .25)
		b.AttentionBackward(dx, dw, y, z, x, y, y, z, lse, segs, 4, 4, 16, .25)
		b.LinearCrossEntropy(r, dx, dw, x, y, ids, nil, n, c, n, 1)
		b.RoPE(z, x, ids, freqs, n, 4, 16, backend.Half, false)
		b.SwiGLUForward(z, x, y, n*c)
		b.SumSquares(r, norms)
		b.AdamW(updates, backend.AdamWStep{LR: .1, Beta1: .9, Beta2: .9, Eps: 1e-8, GradScale: 1, Step: 1})
	}
	for range 5 {
		all()
	}
	// A goroutine that the runtime has not pooled yet may cost an allocation now and then.
	if got := testing.AllocsPerRun(50, all); got > 2 {
		t.Errorf("a step of 12 operations allocates %g times; wanted at most 2", got)
	}
}

func TestWrongShapesPanicWithBothNumbers(t *testing.T) {
	b := New(1)
	x, ids := b.Alloc(tensor.F32, 10), b.Alloc(tensor.I32, 2)
	b.UploadInts(ids, []int32{0, 7})
	for _, c := range []struct {
		want string
		f    func()
	}{
		{"MatMul: b holds 10 elements; wanted 12", func() { b.MatMul(x, x, x, 2, 3, 4, backend.NT, 1, 0) }},
		{"AddScaled: 10 and 5 elements; wanted the same length", func() { b.AddScaled(x, x.Slice(0, 5), 1) }},
		{"EmbeddingForward: ids[1] is 7; wanted 0 … 4", func() { b.EmbeddingForward(b.Alloc(tensor.F32, 4), x, ids, 2, 2) }},
		{"SumSquares: x holds i32; wanted f32", func() { b.SumSquares(x, []backend.Buffer{ids}) }},
		{"LinearCrossEntropy: targets[1] is 7; wanted 0 … 4 or -100", func() {
			b.LinearCrossEntropy(x, nil, nil, x, x, ids, nil, 2, 2, 5, 1)
		}},
		{"RoPE: head size 5; wanted an even one", func() { b.RoPE(x, x, ids, x, 1, 2, 5, backend.Half, false) }},
		{"AttentionForward: 3 query heads over 2 key-value heads of size 2; wanted a multiple of at least 1", func() {
			b.AttentionForward(x, nil, x, x, x, &backend.Segments{}, 3, 2, 2, 1)
		}},
	} {
		func() {
			defer func() {
				if r := recover(); fmt.Sprint(r) != c.want {
					t.Errorf("panic %q; wanted %q", r, c.want)
				}
			}()
			c.f()
		}()
	}
}
