package cpu

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// each runs f for every set of kernels that this machine has.
func each(t *testing.T, f func(t *testing.T, k *kernels)) {
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) { f(t, k) })
	}
}

// numbers makes inputs.
type numbers struct{ rng *tensor.RNG }

func (n numbers) floats(size int, scale float64) []float32 {
	x := make([]float32, size)
	for i := range x {
		x[i] = float32(n.rng.Norm() * scale)
	}
	return x
}

func up(b backend.Backend, x []float32) backend.Buffer {
	buf := b.AllocUninit(tensor.F32, len(x))
	b.Upload(buf, x)
	return buf
}

func upInts(b backend.Backend, x []int32) backend.Buffer {
	buf := b.AllocUninit(tensor.I32, len(x))
	b.UploadInts(buf, x)
	return buf
}

func down(b backend.Backend, x backend.Buffer) []float32 {
	out := make([]float32, x.Len())
	if err := b.Download(out, x); err != nil {
		panic(err)
	}
	return out
}

// near fails unless got is within tol of want, relative to the largest element of want.
func near(t *testing.T, what string, got, want []float32, tol float64) {
	t.Helper()
	top, worst, at := 1e-6, 0.0, 0
	for _, v := range want {
		top = max(top, math.Abs(float64(v)))
	}
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= tol*top) {
		t.Errorf("%s: element %d is %g; wanted %g (difference %g of %g)", what, at, got[at], want[at], worst, top)
	}
}

// TestMatMul multiplies shapes that the blocks cut into several steps, which the shapes of conform are too small for.
func TestMatMul(t *testing.T) {
	// M, N, K: more than a block each way, few panels, few rows on either side, sizes next to a tile's.
	shapes := [][3]int{{113, 1030, 40}, {260, 40, 385}, {14, 32, 384}, {16, 70, 129}, {33, 33, 801}, {130, 9, 50},
		{16, 200, 500}, {200, 16, 500}, {32, 97, 70}, {97, 31, 70}}
	each(t, func(t *testing.T, k *kernels) {
		b, r := newBackend(2, k), ref.New()
		for _, s := range shapes {
			for _, op := range []backend.MatOp{backend.NT, backend.NN, backend.TN} {
				for _, ab := range [][2]float32{{1, 0}, {0.5, 1}, {-2, 0.25}} {
					m, n, kk := s[0], s[1], s[2]
					rng := numbers{tensor.NewRNG(1, fmt.Sprint(s, op))}
					a, bb, c := rng.floats(m*kk, 1), rng.floats(n*kk, 1), rng.floats(m*n, 1)
					if ab[1] == 0 {
						c[0] = float32(math.NaN())
					}
					got, want := up(b, c), up(r, c)
					b.MatMul(got, up(b, a), up(b, bb), m, n, kk, op, ab[0], ab[1])
					r.MatMul(want, up(r, a), up(r, bb), m, n, kk, op, ab[0], ab[1])
					near(t, fmt.Sprint(s, op, ab), down(b, got), down(r, want), 1e-6*math.Sqrt(float64(kk)))
				}
			}
		}
	})
}

func seg(qs, ql, ks, kl int) backend.Segment {
	return backend.Segment{QStart: qs, QLen: ql, KStart: ks, KLen: kl}
}

// TestAttention has more queries than an item, more keys than a block and heads of odd sizes.
func TestAttention(t *testing.T) {
	cases := []struct {
		h, kh, d int
		segs     []backend.Segment
	}{
		{6, 3, 32, []backend.Segment{seg(0, 20, 0, 20), seg(20, 1, 20, 1), seg(21, 0, 21, 0), seg(21, 77, 21, 77)}},
		{3, 3, 24, []backend.Segment{seg(0, 300, 0, 300)}},
		{4, 2, 64, []backend.Segment{seg(0, 1, 0, 200), seg(1, 1, 200, 3), seg(2, 7, 203, 150), seg(9, 40, 353, 140)}},
		{2, 2, 10, []backend.Segment{seg(0, 140, 0, 140), seg(140, 3, 140, 3)}},
	}
	each(t, func(t *testing.T, k *kernels) {
		for ci, c := range cases {
			b, r := newBackend(2, k), ref.New()
			rows, keys := extent("", &backend.Segments{List: c.segs}, c.h, c.kh, c.d)
			rng := numbers{tensor.NewRNG(int64(ci), "attention")}
			q, kk, v := rng.floats(rows*c.h*c.d, 1), rng.floats(keys*c.kh*c.d, 1), rng.floats(keys*c.kh*c.d, 1)
			do := rng.floats(rows*c.h*c.d, 1)
			scale := float32(1 / math.Sqrt(float64(c.d)))
			segs := &backend.Segments{List: c.segs}
			run := func(b backend.Backend) (out [][]float32) {
				o, lse := up(b, make([]float32, len(q))), up(b, make([]float32, rows*c.h))
				b.AttentionForward(o, lse, up(b, q), up(b, kk), up(b, v), segs, c.h, c.kh, c.d, scale)
				out = append(out, down(b, o), down(b, lse))
				for _, g := range c.segs {
					if g.QLen != g.KLen {
						return out
					}
				}
				dq, dk, dv := up(b, make([]float32, len(q))), up(b, make([]float32, len(kk))), up(b, make([]float32, len(kk)))
				b.AttentionBackward(dq, dk, dv, up(b, do), up(b, q), up(b, kk), up(b, v), o, lse, segs, c.h, c.kh, c.d, scale)
				return append(out, down(b, dq), down(b, dk), down(b, dv))
			}
			got, want := run(b), run(r)
			for i := range want {
				near(t, fmt.Sprint("case ", ci, []string{" o", " lse", " dQ", " dK", " dV"}[i]), got[i], want[i], 5e-6)
			}
		}
	})
}

// TestLinearCrossEntropy has more rows than a chunk, some without a target.
func TestLinearCrossEntropy(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		b, r := newBackend(2, k), ref.New()
		rows, c, v := maxLogitRows+200, 9, 20
		rng := numbers{tensor.NewRNG(1, "lce")}
		x, w, share, dw0 := rng.floats(rows*c, 1), rng.floats(v*c, .5), rng.floats(rows, 1), rng.floats(v*c, 1)
		ids := make([]int32, rows)
		for i := range ids {
			ids[i] = int32(rng.rng.Intn(v))
			if i%9 == 1 {
				ids[i] = backend.IgnoreIndex
			}
		}
		run := func(b backend.Backend) (out [][]float32) {
			nll, dx, dw := up(b, make([]float32, rows)), up(b, x), up(b, dw0)
			b.LinearCrossEntropy(nll, dx, dw, up(b, x), up(b, w), upInts(b, ids), up(b, share), rows, c, v, 0.3)
			return [][]float32{down(b, nll), down(b, dx), down(b, dw)}
		}
		got, want := run(b), run(r)
		for i := range want {
			near(t, []string{"nll", "dX", "dW"}[i], got[i], want[i], 5e-6)
		}
	})
}

// Attention over 8,192 positions holds no square of them: 256 MB for one head.
func TestLongAttentionMemory(t *testing.T) {
	const n, d = 8192, 8
	b := New(0)
	segs := &backend.Segments{List: []backend.Segment{seg(0, n, 0, n)}, Window: 512}
	x := func(n int) backend.Buffer { return up(b, numbers{tensor.NewRNG(1, "long")}.floats(n, 1)) }
	q, k, v, o, lse, dq, dk, dv := x(n*d), x(n*d), x(n*d), x(n*d), x(n), x(n*d), x(n*d), x(n*d)
	var before, after runtime.MemStats
	for _, window := range []int{512, 0} {
		segs.Window = window
		runtime.ReadMemStats(&before)
		b.AttentionForward(o, lse, q, k, v, segs, 1, 1, d, .3)
		b.AttentionBackward(dq, dk, dv, q, q, k, v, o, lse, segs, 1, 1, d, .3)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
			t.Errorf("a window of %d: %d bytes", window, got)
		}
	}
}

// TestBlocks: small caches make small blocks, and the blocks leave no trace in the bits.
func TestBlocks(t *testing.T) {
	for _, c := range []struct{ l2, l3, rows, cols int }{
		{0, 0, 112, 1024}, {-1, -1, 112, 1024}, {2 << 20, 260 << 20, 112, 1024}, {256 << 10, 3 << 20, 56, 682}, {1, 1, 28, 128}, {512 << 10, 16 << 20, 112, 1024},
	} {
		if rows, cols := blocks(c.l2, c.l3); rows != c.rows || cols != c.cols {
			t.Errorf("caches of %d and %d bytes: %d rows, %d columns; wanted %d, %d", c.l2, c.l3, rows, cols, c.rows, c.cols)
		}
	}
	const m, n, k = 131, 1100, 700
	for _, kernels := range available() {
		var want []float32
		for _, size := range [][2]int{{112, 1024}, {28, 128}, {56, 682}} {
			d := newBackend(2, kernels)
			d.blockM, d.blockN = size[0], size[1]
			x, y, c := random(d, m*k), random(d, n*k), d.Alloc(tensor.F32, m*n)
			d.MatMul(c, x, y, m, n, k, backend.NT, 1, 0)
			got := make([]float32, m*n)
			if err := d.Download(got, c); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			for i := range got {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("%s: with blocks of %v element %d is %v; wanted %v", kernels.name, size, i, got[i], want[i])
				}
			}
		}
	}
}
