package backend

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
)

// Quants are all forms.
var Quants = []Quant{Q8_0, Q4_0, NF4}

// String returns the form's name in lower case: "q8_0", "q4_0", "nf4".
func (q Quant) String() string { return [...]string{"q8_0", "q4_0", "nf4"}[q] }

// Block returns how many elements share a scale.
func (q Quant) Block() int {
	if q == NF4 {
		return 64
	}
	return 32
}

// PerWord returns how many codes a word holds.
func (q Quant) PerWord() int {
	if q == Q8_0 {
		return 4
	}
	return 8
}

// Scales and Codes return how many scales and words of codes n elements have; the last block is filled up.
func (q Quant) Scales(n int) int { return (n + q.Block() - 1) / q.Block() }
func (q Quant) Codes(n int) int  { return q.Scales(n) * q.Block() / q.PerWord() }

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
