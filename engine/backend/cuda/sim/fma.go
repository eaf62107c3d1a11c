package sim

import (
	"math"
	"math/bits"
)

// fma32 is a·b + c rounded once. The product is exact in float64; the sum is rounded to odd there, after which rounding to
// float32 is as if it were the only one (Boldo & Melquiond 2008, "Emulation of FMA and correctly rounded sums").
func fma32(a, b, c uint32) uint32 {
	p, z := float64(float32of(a))*float64(float32of(b)), float64(float32of(c))
	s := p + z
	if t := s - p; !math.IsInf(s, 0) && s == s { // the error of the sum (Knuth's TwoSum)
		if e := (p - (s - t)) + (z - t); e != 0 {
			if u := math.Float64bits(s); u&1 == 0 {
				if (e > 0) == (s > 0) {
					u++
				} else {
					u--
				}
				s = math.Float64frombits(u)
			}
		}
	}
	return math.Float32bits(float32(s))
}

func fmaGeneric(d, a, b, c *[32]uint32) {
	for l := range 32 {
		d[l] = fma32(a[l], b[l], c[l])
	}
}

// fmaF is fma.rn.f32.
func fmaF(d, a, b, c int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B, C := &w.r32[d], &w.r32[a], &w.r32[b], &w.r32[c]
		if m == fullMask {
			fmaLanes(D, A, B, C)
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = fma32(A[l], B[l], C[l])
		}
	}
}
