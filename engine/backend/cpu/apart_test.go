package cpu

import (
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// Steps that are made apart give the bits of steps one after the other, which more threads take.
func TestProductsApart(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		for i, s := range [][3]int{{33, 67, 2400}, {150, 96, 4096}, {60, 200, 1800}} {
			m, n, kk := s[0], s[1], s[2]
			rng := numbers{tensor.NewRNG(int64(i), "apart")}
			a, b, c := rng.floats(m*kk, 1), rng.floats(n*kk, 1), rng.floats(m*n, 1)
			for _, op := range []backend.MatOp{backend.NT, backend.NN, backend.TN} {
				for _, f := range [][2]float32{{1, 0}, {1, 1}, {0.5, -2}} {
					var want []float32
					for _, threads := range []int{64, 1, 2} {
						got := clone(c)
						newBackend(threads, k).MatMul(&backend.HostBuffer{F: got}, &backend.HostBuffer{F: a}, &backend.HostBuffer{F: b}, m, n, kk, op, f[0], f[1])
						if want == nil {
							want = got
						} else if !slices.Equal(got, want) {
							t.Errorf("%v, op %d, alpha %g, beta %g: other bits on %d threads than on 64", s, op, f[0], f[1], threads)
						}
					}
				}
			}
		}
	})
}
