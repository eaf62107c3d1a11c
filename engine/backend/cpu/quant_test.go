package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// randomPacked returns a weight of n random codes.
func randomPacked(rng *tensor.RNG, n int, q backend.Quant) packed {
	w := packed{codes: make([]int32, q.Codes(n)), scales: make([]float32, q.Scales(n)), q: q}
	for i := range w.codes {
		w.codes[i] = int32(rng.Uint64())
		if q == backend.BF16 {
			w.codes[i] = int32(math.Float32bits(float32(rng.Norm()))>>16 | math.Float32bits(float32(rng.Norm()))&^0xffff)
		}
	}
	for i := range w.scales {
		w.scales[i] = float32(rng.Norm())
	}
	return w
}

// Every way to write out a part of a weight gives the bits that its codes stand for, and nothing beside them.
func TestExpand(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		for _, q := range backend.Quants {
			rng := tensor.NewRNG(1, "expand")
			const n = 12 * 352
			w := randomPacked(rng, n, q)
			for _, c := range [][4]int{ // from, ld, cols, rows
				{0, 352, 352, 12}, {64, 352, 64, 3}, {96, 352, 1, 2}, {32, 0, 31, 1}, {128, 352, 33, 5}, {0, 352, 200, 4}, {1, 352, 130, 2}, {63, 33, 33, 7}, {0, 0, n, 1},
			} {
				from, ld, cols, rows := c[0], c[1], c[2], c[3]
				ldd := cols + 3
				y, frame := framed(rng, rows*ldd)
				for i := range y {
					y[i] = canary
				}
				k.expand(y, ldd, w, from, ld, cols, rows)
				what := fmt.Sprintf("%s from %d, %d rows of %d", q, from, rows, cols)
				intact(t, what, frame, len(y))
				want := make([]float32, cols)
				for r := range rows {
					w.some(want, from+r*ld)
					if !slices.Equal(y[r*ldd:r*ldd+cols], want) {
						t.Fatalf("%s: row %d is not what the codes stand for", what, r)
					}
					if !slices.Equal(y[r*ldd+cols:(r+1)*ldd], []float32{canary, canary, canary}) {
						t.Fatalf("%s: row %d goes beyond its end", what, r)
					}
				}
			}
		}
	})
}

// A kernel that multiplies one row by packed rows gives the bits of the one that multiplies by their numbers, and touches
// nothing beside its results.
func TestPackedDots(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		for _, q := range backend.Quants {
			for _, groups := range []int{1, 2, 3, 7, 18} {
				depth := groups * expandGroup(q)
				rng := tensor.NewRNG(int64(groups), "packed dots")
				w := randomPacked(rng, 4*depth, q)
				x := make([]float32, 4*depth)
				k.expand(x, depth, w, 0, depth, depth, 4)
				a := numbers{rng}.floats(depth, 1)
				var scale *float32
				if q != backend.BF16 {
					scale = &w.scales[0]
				}
				for n := 1; n <= 4; n++ {
					for _, beta := range []float32{0, -2} {
						c, frame := framed(rng, n)
						if beta == 0 { // is not read
							c[0] = float32(math.NaN())
						}
						want := clone(c)
						k.dots[0](depth, &a[0], depth, &x[0], depth, &want[0], n, 0.5, beta, n, &x[0])
						k.packedDots[q.Layout()](depth, &a[0], &w.codes[0], scale, &c[0], 0.5, beta, n)
						what := fmt.Sprintf("%s, %d rows of %d", q, n, depth)
						if !slices.Equal(c, want) {
							t.Errorf("%s: %v; wanted %v", what, c, want)
						}
						intact(t, what, frame, n)
					}
				}
			}
		}
	})
}

// A product by a packed weight has the bits of the product by its numbers, on any number of threads; where it rounds A the bits do not
// depend on the number of threads either.
func TestPackedProductBits(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		for _, q := range backend.Quants {
			for _, s := range [][3]int{{1, 320, 192}, {5, 33, 64}, {40, 100, 96}, {77, 130, 577}, {33, 7, 64}} {
				for _, op := range []backend.MatOp{backend.NT, backend.NN} {
					m, n, kk := s[0], s[1], s[2]
					rng := tensor.NewRNG(2, "packed")
					w := randomPacked(rng, n*kk, q)
					a, _ := framed(rng, m*kk)
					var outs [3][]float32
					for i, threads := range []int{1, 2, 3} {
						b := newBackend(threads, k)
						outs[i] = make([]float32, m*n)
						b.MatMulPacked(&backend.HostBuffer{F: outs[i]}, &backend.HostBuffer{F: a}, &backend.HostBuffer{I: w.codes}, &backend.HostBuffer{F: w.scales}, m, n, kk, op, q, 1, 0)
					}
					want := outs[0]
					if !q.Rounds() {
						x := make([]float32, n*kk)
						b := newBackend(2, k)
						b.Dequantize(&backend.HostBuffer{F: x}, &backend.HostBuffer{I: w.codes}, &backend.HostBuffer{F: w.scales}, n*kk, q)
						want = make([]float32, m*n)
						b.MatMul(&backend.HostBuffer{F: want}, &backend.HostBuffer{F: a}, &backend.HostBuffer{F: x}, m, n, kk, op, 1, 0)
					}
					for i := range outs {
						if !slices.Equal(outs[i], want) {
							t.Errorf("%s op %d %v: other bits on %d threads", q, op, s, i+1)
						}
					}
				}
			}
		}
	})
}
