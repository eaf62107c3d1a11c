package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// eachInt8 runs a test with every set of kernels that multiplies whole numbers.
func eachInt8(t *testing.T, f func(t *testing.T, k *kernels)) {
	some := false
	each(t, func(t *testing.T, k *kernels) {
		if k.int8 != nil {
			some = true
			f(t, k)
		}
	})
	if !some {
		t.Skip("this processor has no AVX2")
	}
}

// The records of rounded rows hold what backend.RoundInt8 says, halves and what is no number included.
func TestInt8Records(t *testing.T) {
	eachInt8(t, func(t *testing.T, k *kernels) {
		rng := tensor.NewRNG(1, "int8 records")
		const blocks = 40
		x, _ := framed(rng, blocks*int8Block)
		for i, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, -math.MaxFloat32} {
			x[i*int8Block+7*i] = v
		}
		block := func(i int) []float32 { return x[i*int8Block:][:int8Block] }
		clear(block(6))
		for i, v := range block(7) { // too small for an inverse
			block(7)[i] = v * 1e-39
		}
		for i, v := range block(8) {
			block(8)[i] = v * 1e-36
		}
		for i := range block(9) { // halves
			block(9)[i] = float32(i) - 15.5
		}
		block(9)[31] = 127
		y, frame := framed(rng, blocks*int8Record)
		k.int8.round(&y[0], &x[0], blocks)
		intact(t, "round", frame, len(y))
		for i := range blocks {
			var codes [int8Block]int8
			scale := backend.RoundInt8(codes[:], block(i))
			got := y[i*int8Record+8]
			if got != scale && (got == got || scale == scale) {
				t.Errorf("block %d: scale %g; wanted %g", i, got, scale)
			}
			if scale == 0 || scale != scale {
				continue
			}
			for j, c := range codes {
				if u := byte(math.Float32bits(y[i*int8Record+j/4]) >> (j % 4 * 8)); u != byte(int(c)+128) {
					t.Errorf("block %d, number %d (%g): code %d; wanted %d", i, j, block(i)[j], int(u)-128, c)
				}
			}
		}
	})
}

// A product in whole numbers is that of the rounded rows, whatever its edges, with the same bits on any number of threads, and
// touches nothing beside its result.
func TestInt8Products(t *testing.T) {
	eachInt8(t, func(t *testing.T, k *kernels) {
		for _, q := range []backend.Quant{backend.Int8, backend.Int4} {
			int8Products(t, k, q)
		}
	})
}

func int8Products(t *testing.T, k *kernels, q backend.Quant) {
	for i, s := range [][3]int{{1, 1, 32}, {1, 7, 96}, {1, 10, 544}, {1, 578, 1600}, {1, 6, 1632}, {1, 67, 64}, {2, 35, 64}, {3, 64, 96}, {4, 1, 32}, {5, 31, 64}, {6, 32, 96}, {7, 33, 576}, {8, 47, 800}, {13, 70, 1600}, {19, 40, 768}, {300, 65, 32}, {1100, 33, 64}} {
		m, n, kk := s[0], s[1], s[2]
		rng := tensor.NewRNG(int64(i), "int8")
		w := randomPacked(rng, n*kk, q)
		w.codes[0] = -1 << 31 // 0, 0, 0, -128
		a, _ := framed(rng, m*kk)
		x, rounded := make([]float32, n*kk), make([]float32, m*kk)
		w.some(x, 0)
		for at := 0; at < m*kk; at += int8Block {
			var codes [int8Block]int8
			scale := backend.RoundInt8(codes[:], a[at:at+int8Block])
			for j, c := range codes {
				rounded[at+j] = scale * float32(c)
			}
		}
		f := [][2]float32{{1, 0}, {1, 1}, {0.5, -2}}[i%3]
		var first []float32
		for threads := 1; threads <= 3; threads++ {
			b := newBackend(threads, k)
			c, frame := framed(tensor.NewRNG(9, "c"), m*n)
			want := make([]float32, m*n)
			for i := range m {
				for j := range n {
					sum := 0.0
					for p := range kk {
						sum += float64(rounded[i*kk+p]) * float64(x[j*kk+p])
					}
					want[i*n+j] = float32(float64(f[0])*sum + float64(f[1])*float64(c[i*n+j]))
				}
			}
			if f[1] == 0 { // is not read
				c[0], c[len(c)-1] = float32(math.NaN()), float32(math.NaN())
			}
			b.MatMulPacked(&backend.HostBuffer{F: c}, &backend.HostBuffer{F: a}, &backend.HostBuffer{I: w.codes}, &backend.HostBuffer{F: w.scales},
				m, n, kk, backend.NT, q, f[0], f[1])
			what := fmt.Sprintf("%s %v, alpha %g, beta %g", q, s, f[0], f[1])
			near(t, what, c, want, 4e-6)
			intact(t, what, frame, len(c))
			if first == nil {
				first = c
			} else if !slices.Equal(c, first) {
				t.Errorf("%s: other bits on %d threads", what, threads)
			}
		}
	}
}
