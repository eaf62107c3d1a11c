package backend

import "math"

// Quant is a form in which a weight that is not trained takes less memory: blocks of codes that share a scale. Codes lie in
// words of 32 bits, the first in the lowest bits.
type Quant uint8

const (
	// Q8_0 and Q4_0 are ggml's: 32 elements share a scale (a binary16 number, held as float32); a code is a signed number of 8
	// bits, or one of 4 bits less 8.
	Q8_0 Quant = iota
	Q4_0
	// NF4: 64 elements share their largest magnitude; a code of 4 bits names one of 16 levels, the quantiles of a normal
	// distribution. Source: Dettmers et al. 2023, arXiv:2305.14314, appendix E (the scales are not quantised again here).
	NF4
	// BF16 holds each number rounded to bfloat16 in 16 bits, without scales.
	BF16
	// Int8 and Int4 are Q8_0 and Q4_0 whose products NT round A too, so that they may run in whole numbers.
	Int8
	Int4
)

// Quants are all forms.
var Quants = []Quant{Q8_0, Q4_0, NF4, BF16, Int8, Int4}

// String returns the form's name in lower case: "q8_0", "q4_0", "nf4", "bf16", "int8", "int4".
func (q Quant) String() string { return [...]string{"q8_0", "q4_0", "nf4", "bf16", "int8", "int4"}[q] }

// Rounds tells whether products NT by a weight in the form round A.
func (q Quant) Rounds() bool { return q.Layout() != q }

// Layout returns the form, one of the first four, whose codes and scales this one's are.
func (q Quant) Layout() Quant {
	switch q {
	case Int8:
		return Q8_0
	case Int4:
		return Q4_0
	}
	return q
}

// Layouts is how many forms of codes and scales there are.
const Layouts = 4

// Block returns how many elements are packed together: those that share a scale, and the two in a word of BF16.
func (q Quant) Block() int {
	switch q {
	case NF4:
		return 64
	case BF16:
		return 2
	}
	return 32
}

// PerWord returns how many codes a word holds.
func (q Quant) PerWord() int {
	switch q.Layout() {
	case Q8_0:
		return 4
	case BF16:
		return 2
	}
	return 8
}

// Scales and Codes return how many scales and words of codes n elements have; the last block is filled up.
func (q Quant) Scales(n int) int {
	if q == BF16 {
		return 0
	}
	return (n + q.Block() - 1) / q.Block()
}

func (q Quant) Codes(n int) int { return (n + q.Block() - 1) / q.Block() * q.Block() / q.PerWord() }

// Bits returns how many bits an element takes, its part of the scale included.
func (q Quant) Bits() float64 {
	n := q.Block()
	return 32 * float64(q.Codes(n)+q.Scales(n)) / float64(n)
}

// Levels returns what the codes 0 … 15 of a form of 4 bits stand for, before the scale.
func (q Quant) Levels() *[16]float32 {
	if q == NF4 {
		return &nf4
	}
	return &q4
}

var q4 = [16]float32{-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7}

var nf4 = [16]float32{-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
	-0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434,
	0.5626170039176941, 0.7229568362236023, 1}

// RoundInt8 writes the codes that stand for a block of at most 32 numbers in a product that rounds A, and returns their scale: the
// largest magnitude over 127. A code is the number divided by the scale (multiplied by 127 over the largest magnitude, in
// float32), rounded to the nearest whole number, halves to even. A block of which a number is not finite is not rounded:
// its scale is NaN.
func RoundInt8(codes []int8, x []float32) (scale float32) {
	top := float32(0)
	for _, v := range x {
		if v != v {
			top = v
			break
		}
		top = max(top, v, -v)
	}
	clear(codes)
	if !(top <= math.MaxFloat32) {
		return float32(math.NaN())
	}
	inverse := 127 / top
	if !(inverse <= math.MaxFloat32) { // of zeros, or too small for its inverse
		return 0
	}
	for i, v := range x {
		codes[i] = int8(math.RoundToEven(float64(v * inverse)))
	}
	return top / 127
}
