package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// roundedAll returns x as bf16 holds it.
func roundedAll(x []float32) []float32 {
	y := make([]float32, len(x))
	for i := range x {
		y[i] = rounded(x[i:])
	}
	return y
}

// TestMatMulBF16: products are those of operands that were rounded before, at shapes with several blocks and with edges, on
// any number of threads, and nothing beside the result is written.
func TestMatMulBF16(t *testing.T) {
	shapes := [][3]int{{64, 64, 32}, {65, 66, 33}, {113, 1030, 40}, {260, 70, 801}, {67, 129, 1}, {300, 63, 64}, {66, 70, 1300}}
	for _, k := range availableBF16() {
		t.Run(k.name, func(t *testing.T) {
			r := ref.New()
			for _, s := range shapes {
				m, n, kk := s[0], s[1], s[2]
				large := m >= bf16MN && n >= bf16MN && kk >= bf16K
				for _, op := range []backend.MatOp{backend.NT, backend.NN, backend.TN} {
					for _, ab := range [][2]float32{{1, 0}, {-2, 0.25}} {
						rng := numbers{tensor.NewRNG(1, fmt.Sprint(s, op))}
						a, bb, c := rng.floats(m*kk, 1), rng.floats(n*kk, 1), rng.floats(m*n, 1)
						ra, rb := a, bb
						if large {
							ra, rb = roundedAll(a), roundedAll(bb)
						}
						want := up(r, c)
						r.MatMul(want, up(r, ra), up(r, rb), m, n, kk, op, ab[0], ab[1])
						var first []float32
						for _, threads := range []int{1, 3} {
							b := newBF16(threads, k)
							x, frame := framed(rng.rng, m*n)
							copy(x, c)
							got := &backend.HostBuffer{F: x}
							b.MatMul(got, up(b, a), up(b, bb), m, n, kk, op, ab[0], ab[1])
							near(t, fmt.Sprint(s, op, ab), x, down(r, want), 1e-6*math.Sqrt(float64(kk)))
							intact(t, fmt.Sprint(s, op, ab), frame, m*n)
							if first == nil {
								first = x
							} else if !slices.Equal(first, x) {
								t.Errorf("%v %v: other bits on %d threads", s, op, threads)
							}
						}
					}
				}
			}
		})
	}
}

// TestBF16KeepsNaN: what is no number stays none, wherever it lies.
func TestBF16KeepsNaN(t *testing.T) {
	for _, k := range availableBF16() {
		b := newBF16(1, k)
		for _, op := range []backend.MatOp{backend.NT, backend.NN, backend.TN} {
			for _, bits := range []uint32{0x7fffffff, 0xffffffff, 0x7f800001, 0x7fc00000} {
				const n = 70
				a, bb, c := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
				a[n*n-1] = math.Float32frombits(bits)
				b.MatMul(&backend.HostBuffer{F: c}, up(b, a), up(b, bb), n, n, n, op, 1, 0)
				if v := c[n*n-1]; v == v {
					t.Errorf("%s, op %d: a NaN of bits %08x became %v", k.name, op, bits, v)
				}
			}
		}
	}
}

// TestNames: the devices say which they are.
func TestNames(t *testing.T) {
	for _, name := range []string{"cpu", "cpu-bf16"} {
		if b, err := backend.Open(name); err != nil || b.Name() != name {
			t.Errorf("Open(%q) is %v, %v", name, b, err)
		}
	}
}
