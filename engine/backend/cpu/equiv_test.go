package cpu

import (
	"fmt"
	"math"
	"testing"

	"tunebook/engine/tensor"
)

// kernelCases call each vectorised kernel on buffers of n elements (or rows of a tile). x are inputs or outputs; the
// result is a number where the kernel returns one.
var kernelCases = []struct {
	name string
	bufs int
	f    func(k *kernels, x []*float32, n int) float64
}{
	{"axpy", 2, func(k *kernels, x []*float32, n int) float64 { k.axpy(x[0], x[1], 0.7, n); return 0 }},
	{"add", 3, func(k *kernels, x []*float32, n int) float64 { k.add(x[0], x[1], x[2], n); return 0 }},
	{"scale", 2, func(k *kernels, x []*float32, n int) float64 { k.scale(x[0], x[1], -1.3, n); return 0 }},
	{"dot", 2, func(k *kernels, x []*float32, n int) float64 { return float64(k.dot(x[0], x[1], n)) }},
	{"dot3", 3, func(k *kernels, x []*float32, n int) float64 { return float64(k.dot3(x[0], x[1], x[2], n)) }},
	{"sumSquares", 1, func(k *kernels, x []*float32, n int) float64 { return k.sumSquares(x[0], n) }},
	{"normScale", 3, func(k *kernels, x []*float32, n int) float64 { k.normScale(x[0], x[1], x[2], 0.3, n); return 0 }},
	{"normGrad", 5, func(k *kernels, x []*float32, n int) float64 {
		k.normGrad(x[0], x[1], x[2], x[3], x[4], 0.3, 0.2, n)
		return 0
	}},
	{"normWeightGrad", 3, func(k *kernels, x []*float32, n int) float64 { k.normWeightGrad(x[0], x[1], x[2], 0.3, n); return 0 }},
	{"rotate", 6, func(k *kernels, x []*float32, n int) float64 {
		k.rotate(x[0], x[1], x[2], x[3], x[4], x[5], n)
		return 0
	}},
	{"rotatePairs", 4, func(k *kernels, x []*float32, n int) float64 {
		for _, p := range x[2:] { // cosines and sines stand twice
			for s := run(p, n&^1); len(s) > 0; s = s[2:] {
				s[1] = s[0]
			}
		}
		k.rotatePairs(x[0], x[1], x[2], x[3], -1, n&^1)
		return 0
	}},
	{"siluMul", 3, func(k *kernels, x []*float32, n int) float64 { k.siluMul(x[0], x[1], x[2], n); return 0 }},
	{"siluMulGrad", 5, func(k *kernels, x []*float32, n int) float64 {
		k.siluMulGrad(x[0], x[1], x[2], x[3], x[4], n)
		return 0
	}},
	{"adamw", 4, func(k *kernels, x []*float32, n int) float64 {
		for i, v := range run(x[2], n) {
			run(x[2], n)[i] = v * v // a second moment is not negative
		}
		c := adamwCoef{0.9, 0.9, 0.1, 0.99, 0.01, 0.999, 0.02, 1.5, 1e-6}
		k.adamw(x[0], x[1], x[2], x[3], &c.gradScale, n)
		return 0
	}},
	{"maxRow", 1, func(k *kernels, x []*float32, n int) float64 { return float64(k.maxRow(x[0], n)) }},
	{"expRow", 2, func(k *kernels, x []*float32, n int) float64 { return float64(k.expRow(x[0], x[1], 0.5, n)) }},
}

// canary is the value around every buffer.
const canary = 12345

// framed returns n random numbers with canaries around them, and the frame.
func framed(rng *tensor.RNG, n int) (x, frame []float32) {
	frame = make([]float32, n+64)
	for i := range frame {
		frame[i] = canary
	}
	x = frame[32 : 32+n]
	for i := range x {
		x[i] = float32(rng.Norm() * 3)
	}
	return x, frame
}

func intact(t *testing.T, what string, frame []float32, n int) {
	t.Helper()
	for i, v := range frame {
		if (i < 32 || i >= 32+n) && v != canary {
			t.Fatalf("%s: element %d outside a buffer of %d is %g", what, i-32, n, v)
		}
	}
}

// TestKernelsMatchPlainGo holds every elementwise kernel against the portable one at all lengths around a vector.
func TestKernelsMatchPlainGo(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		for _, c := range kernelCases {
			for n := 1; n <= 150; n++ {
				what := fmt.Sprint(c.name, " n=", n)
				var results [2]float64
				var outs [2][][]float32
				for side, kk := range []*kernels{k, &generic} {
					rng := tensor.NewRNG(int64(n), c.name)
					var ptrs []*float32
					var frames [][]float32
					for range c.bufs {
						x, frame := framed(rng, n)
						ptrs, frames = append(ptrs, &x[0]), append(frames, frame)
						outs[side] = append(outs[side], x)
					}
					results[side] = c.f(kk, ptrs, n)
					for _, f := range frames {
						intact(t, what, f, n)
					}
				}
				// Sums of products of normal numbers may cancel: what rounds is of the size of the terms.
				if d := math.Abs(results[0] - results[1]); d > 1e-6*(math.Abs(results[1])+9*math.Sqrt(float64(n))) {
					t.Errorf("%s: returned %g; wanted %g", what, results[0], results[1])
				}
				for i := range outs[0] {
					near(t, what, outs[0][i], outs[1][i], 2e-6)
				}
			}
		}
	})
}

// TestColumnKernels holds the kernels on tiles against sums and maxima made here, since tiles differ in width.
func TestColumnKernels(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		w := k.width()
		for _, rows := range []int{1, 2, 7, 33} {
			rng := tensor.NewRNG(int64(rows), "columns")
			s, sf := framed(rng, rows*w)
			dp, df := framed(rng, rows*w)
			m, mf := framed(rng, w)
			l, lf := framed(rng, w)
			s0, dp0, m0, l0 := clone(s), clone(dp), clone(m), clone(l)
			k.maxColumns(&m[0], &s[0], rows)
			k.expColumns(&l[0], &s[0], &m[0], rows)
			for i := range w {
				top, sum := m0[i], l0[i]
				for j := range rows {
					top = max(top, s0[j*w+i])
				}
				for j := range rows {
					e := expf(s0[j*w+i] - top)
					near(t, "exp", s[j*w+i:j*w+i+1], []float32{e}, 1e-6)
					sum += e
				}
				if m[i] != top {
					t.Fatalf("maximum of column %d is %g; wanted %g", i, m[i], top)
				}
				near(t, "sum", l[i:i+1], []float32{sum}, 1e-5)
			}
			copy(s, s0)
			k.softmaxGrad(&s[0], &dp[0], &m[0], &l0[0], 0.25, rows)
			for j := range s {
				e := expf(s0[j] - m[j%w])
				near(t, "p", s[j:j+1], []float32{e}, 1e-6)
				near(t, "ds", dp[j:j+1], []float32{e * (dp0[j] - l0[j%w]) * 0.25}, 1e-5)
			}
			intact(t, "s", sf, rows*w)
			intact(t, "dp", df, rows*w)
			intact(t, "m", mf, w)
			intact(t, "l", lf, w)
		}
	})
}

func clone(x []float32) []float32 { return append([]float32(nil), x...) }

// TestPairTiles is TestTiles for tiles whose words hold two bf16.
func TestPairTiles(t *testing.T) {
	for _, k := range availableBF16() {
		if k = k.withBF16(); k.pair == 1 {
			continue
		}
		w := k.width()
		for _, depth := range []int{0, 1, 3, 4, 9, 64} {
			for rows := 1; rows <= k.rows; rows++ {
				for cols := 1; cols <= w; cols++ {
					rng := tensor.NewRNG(int64(rows*100+cols), "tile")
					lda, ldb, ldc := rows+1, cols+2, cols+3
					words := func(ld int) (x, packed []float32) {
						x, packed = numbers{rng}.floats(2*max(ld, depth*ld), 1), make([]float32, max(ld, depth*ld))
						for i := range packed {
							x[2*i], x[2*i+1] = rounded(x[2*i:]), rounded(x[2*i+1:])
							packed[i] = roundedPair(x[2*i : 2*i+2])
						}
						return x, packed
					}
					a, pa := words(lda)
					b, pb := words(ldb)
					c, frame := framed(rng, (rows-1)*ldc+cols)
					want := clone(c)
					for i := range rows {
						for j := range cols {
							s := 0.0
							for p := range depth {
								for e := range 2 {
									s += float64(a[2*(p*lda+i)+e]) * float64(b[2*(p*ldb+j)+e])
								}
							}
							want[i*ldc+j] = float32(0.5*s - 2*float64(c[i*ldc+j]))
						}
					}
					k.tile(rows, cols, depth, &pa[0], lda, &pb[0], ldb, c, ldc, 0.5, -2)
					what := fmt.Sprintf("tile %dx%dx%d", rows, cols, depth)
					near(t, what, c, want, 3e-6)
					intact(t, what, frame, len(c))
				}
			}
		}
	}
}

// TestTiles holds every tile and every dot kernel against a loop, and checks that they touch no element beside theirs.
func TestTiles(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		w := k.width()
		for _, depth := range []int{0, 1, 3, 4, 9, 64} {
			for rows := 1; rows <= k.rows; rows++ {
				for cols := 1; cols <= w; cols++ {
					rng := tensor.NewRNG(int64(rows*100+cols), "tile")
					lda, ldb, ldc := rows+1, cols+2, cols+3
					a, b := numbers{rng}.floats(max(lda, depth*lda), 1), numbers{rng}.floats(max(ldb, depth*ldb), 1)
					c, frame := framed(rng, (rows-1)*ldc+cols)
					want := clone(c)
					for i := range rows {
						for j := range cols {
							s := 0.0
							for p := range depth {
								s += float64(a[p*lda+i]) * float64(b[p*ldb+j])
							}
							want[i*ldc+j] = float32(0.5*s - 2*float64(c[i*ldc+j]))
						}
					}
					k.tile(rows, cols, depth, &a[0], lda, &b[0], ldb, c, ldc, 0.5, -2)
					what := fmt.Sprintf("tile %dx%dx%d", rows, cols, depth)
					near(t, what, c, want, 3e-6)
					intact(t, what, frame, len(c))
				}
			}
			for rows := 1; rows <= len(k.dots); rows++ {
				for cols := 1; cols <= k.columns; cols++ {
					rng := tensor.NewRNG(int64(rows*100+cols), "dots")
					ld, ldc := depth+3, cols+1
					a, b := numbers{rng}.floats(rows*ld, 1), numbers{rng}.floats(cols*ld, 1)
					c, frame := framed(rng, (rows-1)*ldc+cols)
					want := clone(c)
					for i := range rows {
						for j := range cols {
							s := 0.0
							for p := range depth {
								s += float64(a[i*ld+p]) * float64(b[j*ld+p])
							}
							want[i*ldc+j] = float32(0.5*s - 2*float64(c[i*ldc+j]))
						}
					}
					k.dots[rows-1](depth, &a[0], ld, &b[0], ld, &c[0], ldc, 0.5, -2, cols, &b[0])
					what := fmt.Sprintf("dots %dx%dx%d", rows, cols, depth)
					near(t, what, c, want, 3e-6)
					intact(t, what, frame, len(c))
				}
			}
		}
	})
}

// TestExp checks the vectorised exp: its error where it is a normal number, and its ends.
func TestExp(t *testing.T) {
	each(t, func(t *testing.T, k *kernels) {
		var x, y [1001]float32
		for i := range x {
			x[i] = float32(i)*0.175 - 87.3
		}
		k.expRow(&y[0], &x[0], 0, len(x))
		for i, v := range x {
			want := math.Exp(float64(min(v, 88)))
			if d := math.Abs(float64(y[i])-want) / want; d > 1.5e-7 {
				t.Errorf("exp(%g) is %g; wanted %g (relative difference %g)", v, y[i], want, d)
			}
		}
		inf := float32(math.Inf(1))
		ends := []float32{-inf, -1e30, -88, 0, inf, float32(math.NaN())}
		k.expRow(&ends[0], &ends[0], 0, len(ends))
		if ends[0] != 0 || ends[1] != 0 || ends[2] != 0 || ends[3] != 1 || !(ends[4] > 1e38) || ends[5] == ends[5] {
			t.Errorf("exp at -Inf, -1e30, -88, 0, +Inf, NaN is %v", ends)
		}
	})
}

// TestPacking checks both copies that make panels, with lanes that are missing and depths that are no whole blocks.
func TestPacking(t *testing.T) {
	each(t, testPacking)
	for _, k := range availableBF16() {
		t.Run(k.name+", rounded", func(t *testing.T) { testPacking(t, k.withBF16()) })
	}
}

func testPacking(t *testing.T, k *kernels) {
	for _, depth := range []int{1, 7, 16, 37, 64, 71} {
		for n := 1; n <= k.width(); n++ {
			rng := tensor.NewRNG(int64(n), "pack")
			for _, kMajor := range []bool{false, true} {
				o := operand{x: numbers{rng}.floats((n+5)*(depth+4), 1), ld: depth + 4, kMajor: kMajor}
				if kMajor {
					o.ld = n + 5
				}
				// Halfway cases, which go to even, and what is no number.
				for i, special := range []uint32{0x3f808000, 0x3f818000, 0x7f800000, 0x7fc12345, 0x7f7fffff, 0x80000000} {
					*o.at(3, 2+i%depth) = math.Float32frombits(special)
				}
				words := k.words(depth)
				dst, frame := framed(rng, words*k.width())
				k.pack(dst, k.width(), o, 3, n, 2, depth)
				for p := range words {
					for i := range n {
						var from []float32
						for e := p * k.pair; e < min((p+1)*k.pair, depth); e++ {
							from = append(from, *o.at(3+i, 2+e))
						}
						got, want := math.Float32bits(dst[p*k.width()+i]), math.Float32bits(k.word(from))
						if got != want && !(k.pair == 1 && from[0] != from[0] && dst[p*k.width()+i] != dst[p*k.width()+i]) {
							t.Fatalf("lane %d of %d, word %d of %d: %08x; wanted %08x", i, n, p, words, got, want)
						}
					}
				}
				intact(t, "pack", frame, len(dst))
			}
		}
	}
}
