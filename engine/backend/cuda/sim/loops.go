package sim

import (
	"math"
	"math/bits"
)

// The loops of the frequent instructions, each over 32 lanes at once when all take part. They are written out because
// Go does not inline a function value.

func add32(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] + B[l]
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] + B[l]
		}
	}
}

func sub32(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] - B[l]
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] - B[l]
		}
	}
}

func mul32(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] * B[l]
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] * B[l]
		}
	}
}

func and32(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] & B[l]
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] & B[l]
		}
	}
}

func or32(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] | B[l]
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] | B[l]
		}
	}
}

func xor32(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] ^ B[l]
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] ^ B[l]
		}
	}
}

func add64(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r64[d], &w.r64[a], &w.r64[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] + B[l]
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] + B[l]
		}
	}
}

func mul64(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r64[d], &w.r64[a], &w.r64[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] * B[l]
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] * B[l]
		}
	}
}

func addF(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = math.Float32bits(math.Float32frombits(A[l]) + math.Float32frombits(B[l]))
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = math.Float32bits(math.Float32frombits(A[l]) + math.Float32frombits(B[l]))
		}
	}
}

func subF(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = math.Float32bits(math.Float32frombits(A[l]) - math.Float32frombits(B[l]))
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = math.Float32bits(math.Float32frombits(A[l]) - math.Float32frombits(B[l]))
		}
	}
}

func mulF(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = math.Float32bits(math.Float32frombits(A[l]) * math.Float32frombits(B[l]))
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = math.Float32bits(math.Float32frombits(A[l]) * math.Float32frombits(B[l]))
		}
	}
}

// mulWide is mul.wide: 32 bits by 32 to 64.
func mulWide(d, a, b int, signed bool) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r64[d], &w.r32[a], &w.r32[b]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			if signed {
				D[l] = uint64(int64(int32(A[l])) * int64(int32(B[l])))
			} else {
				D[l] = uint64(A[l]) * uint64(B[l])
			}
		}
	}
}

// Shifts by 32 or more leave nothing, or the sign. Source: PTX ISA 9.7.8.8.
func shl32(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] << B[l]
		}
	}
}

func shl64(d, a, b int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r64[d], &w.r64[a], &w.r32[b]
		if m == fullMask {
			for l := range 32 {
				D[l] = A[l] << (B[l] & 127)
			}
			return
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l] << B[l]
		}
	}
}

func mov32(d, a int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		w.d32[d] |= w.d32[a] & m // copying what holds nothing is no error
		if m == fullMask {
			w.r32[d] = w.r32[a]
			return
		}
		D, A := &w.r32[d], &w.r32[a]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l]
		}
	}
}

func mov64(d, a int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		w.d64[d] |= w.d64[a] & m
		if m == fullMask {
			w.r64[d] = w.r64[a]
			return
		}
		D, A := &w.r64[d], &w.r64[a]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = A[l]
		}
	}
}

// The rest goes through a function for each lane.

func map32(d, a int, f func(x uint32) uint32) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A := &w.r32[d], &w.r32[a]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = f(A[l])
		}
	}
}

func map64(d, a int, f func(x uint64) uint64) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A := &w.r64[d], &w.r64[a]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = f(A[l])
		}
	}
}

func zip32(d, a, b int, f func(x, y uint32) uint32) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r32[d], &w.r32[a], &w.r32[b]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = f(A[l], B[l])
		}
	}
}

func zip64(d, a, b int, f func(x, y uint64) uint64) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B := &w.r64[d], &w.r64[a], &w.r64[b]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = f(A[l], B[l])
		}
	}
}

func zip3x32(d, a, b, c int, f func(x, y, z uint32) uint32) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B, C := &w.r32[d], &w.r32[a], &w.r32[b], &w.r32[c]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = f(A[l], B[l], C[l])
		}
	}
}

func zip3x64(d, a, b, c int, f func(x, y, z uint64) uint64) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		D, A, B, C := &w.r64[d], &w.r64[a], &w.r64[b], &w.r64[c]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			D[l] = f(A[l], B[l], C[l])
		}
	}
}
