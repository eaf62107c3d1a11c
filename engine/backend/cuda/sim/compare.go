package sim

import (
	"math"
	"math/bits"
)

// compare returns the lanes of m in which a comparison of two registers holds.
type compare func(w *warp, m uint32) uint32

func compareS32(op string, a, b int) compare {
	switch op {
	case "eq":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int32(A[l]) == int32(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "ne":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int32(A[l]) != int32(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "lt":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int32(A[l]) < int32(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "le":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int32(A[l]) <= int32(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "gt":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int32(A[l]) > int32(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "ge":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int32(A[l]) >= int32(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	}
	return nil
}

func compareU32(op string, a, b int) compare {
	switch op {
	case "eq":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] == B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "ne":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] != B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "lt", "lo":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] < B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "le", "ls":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] <= B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "gt", "hi":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] > B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "ge", "hs":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r32[a], &w.r32[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] >= B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	}
	return nil
}

func compareS64(op string, a, b int) compare {
	switch op {
	case "eq":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int64(A[l]) == int64(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "ne":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int64(A[l]) != int64(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "lt":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int64(A[l]) < int64(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "le":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int64(A[l]) <= int64(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "gt":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int64(A[l]) > int64(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	case "ge":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if int64(A[l]) >= int64(B[l]) {
					r |= 1 << l
				}
			}
			return r
		}
	}
	return nil
}

func compareU64(op string, a, b int) compare {
	switch op {
	case "eq":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] == B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "ne":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] != B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "lt", "lo":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] < B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "le", "ls":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] <= B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "gt", "hi":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] > B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	case "ge", "hs":
		return func(w *warp, m uint32) (r uint32) {
			A, B := &w.r64[a], &w.r64[b]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if A[l] >= B[l] {
					r |= 1 << l
				}
			}
			return r
		}
	}
	return nil
}

// compareFloat compares with a function: x and y as doubles hold floats exactly.
func compareFloat(op string, get func(w *warp, l int) (x, y float64)) compare {
	var f func(x, y float64) bool
	switch op {
	case "eq":
		f = func(x, y float64) bool { return x == y }
	case "ne":
		f = func(x, y float64) bool { return x < y || x > y }
	case "lt":
		f = func(x, y float64) bool { return x < y }
	case "le":
		f = func(x, y float64) bool { return x <= y }
	case "gt":
		f = func(x, y float64) bool { return x > y }
	case "ge":
		f = func(x, y float64) bool { return x >= y }
	case "equ": // u: or one of them is NaN
		f = func(x, y float64) bool { return !(x < y || x > y) }
	case "neu":
		f = func(x, y float64) bool { return x != y }
	case "ltu":
		f = func(x, y float64) bool { return !(x >= y) }
	case "leu":
		f = func(x, y float64) bool { return !(x > y) }
	case "gtu":
		f = func(x, y float64) bool { return !(x <= y) }
	case "geu":
		f = func(x, y float64) bool { return !(x < y) }
	case "num":
		f = func(x, y float64) bool { return x == x && y == y }
	case "nan":
		f = func(x, y float64) bool { return x != x || y != y }
	default:
		return nil
	}
	return func(w *warp, m uint32) (r uint32) {
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			if x, y := get(w, l); f(x, y) {
				r |= 1 << l
			}
		}
		return r
	}
}

func floats32(a, b int) func(w *warp, l int) (x, y float64) {
	return func(w *warp, l int) (x, y float64) {
		return float64(math.Float32frombits(w.r32[a][l])), float64(math.Float32frombits(w.r32[b][l]))
	}
}

func floats64(a, b int) func(w *warp, l int) (x, y float64) {
	return func(w *warp, l int) (x, y float64) {
		return math.Float64frombits(w.r64[a][l]), math.Float64frombits(w.r64[b][l])
	}
}
