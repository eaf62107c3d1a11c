package backend

import (
	"fmt"
	"math"
	"sort"
	"sync"

	"tunebook/engine/tensor"
)

// AdamWStep holds the numbers of one update that all of its tensors share. Step counts from 1.
type AdamWStep struct {
	LR, Beta1, Beta2, Eps float64
	GradScale             float64 // multiplies the gradient first: clipping without another pass
	Step                  int
}

// AdamWTensor is one of the tensors that an update changes.
type AdamWTensor struct {
	P, G              Buffer // values and gradient, n floats each
	Rounded           Buffer // where P is written to, rounded to the nearest bfloat16, halves to even; nil for nowhere
	Moments           Moments
	Rate, WeightDecay float64 // Rate multiplies the step's LR
	From              int     // the place of the first element in the whole tensor, which MomentsBF16 draws its rounding from
}

// MomentForm is how the two moments of AdamW are kept between updates. An update is computed from the moments before they are
// rounded.
type MomentForm uint8

const (
	// MomentsF32 keeps them in float32.
	MomentsF32 MomentForm = iota
	// MomentsBF16 keeps them in bfloat16, two in a word, the first in the lower half. They are rounded up or down by chance, in
	// proportion to how near either neighbour lies: to the nearest, a second moment of which an update changes a
	// thousandth would never change. Chance is MomentNoise.
	MomentsBF16
	// Moments8 keeps them in a byte each, four in a word, the first in the lowest bits: blocks of MomentBlock elements are
	// held as fractions of the block's largest magnitude by Signed8 and Unsigned8. A second moment above zero is not
	// rounded to zero, which would divide the next update by Eps alone. Tensors of fewer than MomentMinimum elements
	// keep float32 moments. Source: Dettmers et al. 2022, arXiv:2110.02861, sections 2 and 3.
	Moments8
)

// MomentBlock elements share a largest magnitude in Moments8, and tensors of fewer than MomentMinimum have no blocks.
const (
	MomentBlock   = 256
	MomentMinimum = 4096
)

// String returns "float32", "bf16" or "8-bit".
func (f MomentForm) String() string { return [...]string{"float32", "bf16", "8-bit"}[f] }

// Of returns the form in which a tensor of n elements is kept.
func (f MomentForm) Of(n int) MomentForm {
	if f == Moments8 && n < MomentMinimum {
		return MomentsF32
	}
	return f
}

// Sizes returns how many words a moment of n elements has and of which type they are, and how many blocks have a largest
// magnitude.
func (f MomentForm) Sizes(n int) (dt tensor.DType, words, tops int) {
	switch f.Of(n) {
	case MomentsBF16:
		return tensor.I32, (n + 1) / 2, 0
	case Moments8:
		return tensor.I32, (n + 3) / 4, (n + MomentBlock - 1) / MomentBlock
	}
	return tensor.F32, n, 0
}

// PerWord returns how many moments a word holds.
func (f MomentForm) PerWord() int { return [...]int{1, 2, 4}[f] }

// Bytes returns what both moments of n elements take.
func (f MomentForm) Bytes(n int) int64 {
	_, words, tops := f.Sizes(n)
	return 8 * int64(words+tops)
}

// Moments are those of one tensor. MTop and VTop are the blocks' largest magnitudes in Moments8, else nil.
type Moments struct {
	Form       MomentForm
	M, V       Buffer
	MTop, VTop Buffer
}

// NewMoments makes room for the moments of a tensor of n elements. Clear makes them zero.
func NewMoments(dev Memory, form MomentForm, n int) Moments {
	dt, words, tops := form.Sizes(n)
	m := Moments{Form: form, M: dev.AllocUninit(dt, words), V: dev.AllocUninit(dt, words)}
	if tops > 0 {
		m.MTop, m.VTop = dev.AllocUninit(tensor.F32, tops), dev.AllocUninit(tensor.F32, tops)
	}
	return m
}

// Clear makes all moments zero.
func (m *Moments) Clear(dev Backend) {
	for _, b := range m.Buffers() {
		if b.DType() == tensor.F32 {
			dev.Fill(b, 0)
		} else {
			dev.UploadInts(b, make([]int32, b.Len()))
		}
	}
}

// Buffers returns the buffers that there are: M, V, and MTop and VTop.
func (m *Moments) Buffers() []Buffer {
	if m.MTop == nil {
		return []Buffer{m.M, m.V}
	}
	return []Buffer{m.M, m.V, m.MTop, m.VTop}
}

// Check panics unless the buffers hold what an update of the tensor reads and writes. It returns the number of elements.
func (t *AdamWTensor) Check() (n int) {
	n = t.P.Len()
	want := func(name string, b Buffer, dt tensor.DType, least, most int) {
		if b == nil {
			panic(fmt.Sprintf("AdamW: %s is nil; wanted %d elements of %s", name, least, dt))
		}
		if b.DType() != dt || b.Len() < least || b.Len() > most {
			panic(fmt.Sprintf("AdamW: %s holds %d elements of %s; wanted %d of %s", name, b.Len(), b.DType(), least, dt))
		}
	}
	dt, words, tops := t.Moments.Form.Sizes(n)
	want("p", t.P, tensor.F32, n, n)
	want("g", t.G, tensor.F32, n, n)
	if t.Rounded != nil {
		want("rounded", t.Rounded, tensor.F32, n, n)
	}
	want("m", t.Moments.M, dt, words, words)
	want("v", t.Moments.V, dt, words, words)
	if tops > 0 {
		want("mtop", t.Moments.MTop, tensor.F32, tops, tops)
		want("vtop", t.Moments.VTop, tensor.F32, tops, tops)
	}
	return n
}

// AdamWNumbers are the numbers of one tensor's update: with ĝ = Scale·g,
//
//	m = β₁·m + (1-β₁)·ĝ    v = β₂·v + (1-β₂)·ĝ²    p = (1 - LR·Decay)·p - LR·(m/C1) / (sqrt(v/C2) + Eps)
type AdamWNumbers struct {
	Scale, Beta1, Beta2, LR, Decay, Eps float64
	C1, C2                              float64 // 1-β₁ˢ and 1-β₂ˢ for step s
}

// Of returns a tensor's. But for Moments8 they are float32 numbers. It panics when the step is below 1.
func (s AdamWStep) Of(t *AdamWTensor) AdamWNumbers {
	if s.Step < 1 {
		panic(fmt.Sprintf("AdamW: step %d; steps count from 1", s.Step))
	}
	n := AdamWNumbers{Scale: s.GradScale, Beta1: s.Beta1, Beta2: s.Beta2, LR: s.LR * t.Rate, Decay: t.WeightDecay, Eps: s.Eps}
	if t.Moments.Form != Moments8 {
		for _, x := range []*float64{&n.Scale, &n.Beta1, &n.Beta2, &n.LR, &n.Decay, &n.Eps} {
			*x = float64(float32(*x))
		}
	}
	n.C1, n.C2 = 1-math.Pow(n.Beta1, float64(s.Step)), 1-math.Pow(n.Beta2, float64(s.Step))
	return n
}

// MomentNoise returns what MomentsBF16 rounds the moments of element i by in an update: 32 bits that look like chance, the
// lower 16 for the first moment, the upper 16 for the second. They are the finaliser of MurmurHash3 (Appleby 2008) of i and
// the step.
func MomentNoise(step, i int) uint32 {
	x := uint32(i) + uint32(step)*0x9e3779b9
	x ^= x >> 16
	x *= 0x85ebca6b
	x ^= x >> 13
	x *= 0xc2b2ae35
	return x ^ x>>16
}

// StochasticBF16 rounds v to one of its two neighbours in bfloat16: up in magnitude for noise/2^16 not below the distance to it.
// What is not finite stays so.
func StochasticBF16(v float32, noise uint32) uint16 {
	u := math.Float32bits(v)
	if u&0x7f800000 == 0x7f800000 {
		if u&0x7fffff != 0 {
			u |= 1 << 22 // a NaN, whatever its lower half was
		}
		return uint16(u >> 16)
	}
	return uint16((u + noise&0xffff) >> 16)
}

// Code8 is a sorted list of the 256 fractions that a byte stands for.
type Code8 struct {
	Values [256]float32
	Middle [255]float32 // between two neighbours
	Zero   uint8

	once  sync.Once
	least [1 << 15]uint8 // the code of the smallest float32 number that begins with these 15 bits; made at the first Nearest
}

// Signed8 and Unsigned8 are the dynamic codes of first and second moments.
var Signed8, Unsigned8 = newCode8(true), newCode8(false)

// newCode8 makes the dynamic code: zero, one, and for each power of ten from 1e-6 to 1 twice as many means of equal parts of
// [0.1, 1] as for the power before; with their negatives where it is signed.
func newCode8(signed bool) *Code8 {
	c := &Code8{}
	list := []float64{0, 1}
	for e := range 7 {
		parts := 1 << e
		if !signed {
			parts *= 2
		}
		power := math.Pow(10, float64(e-6))
		for i := range parts {
			width := 0.9 / float64(parts)
			x := power * (0.1 + width*(float64(i)+0.5))
			list = append(list, x)
			if signed {
				list = append(list, -x)
			}
		}
	}
	sort.Float64s(list)
	for i, x := range list {
		c.Values[i] = float32(x)
		if x == 0 {
			c.Zero = uint8(i)
		}
	}
	for i := range c.Middle {
		c.Middle[i] = (c.Values[i] + c.Values[i+1]) / 2
	}
	return c
}

// index makes least.
func (c *Code8) index() {
	// In rising order: from the largest negative magnitudes to zero, then to the positive ones. What begins as an infinity
	// may be no number, whose code is 0.
	code := uint8(0)
	up := func(first uint32, smallest float32) {
		for code < 255 && smallest > c.Middle[code] {
			code++
		}
		c.least[first] = code
	}
	const infinite = 0xff << 6
	for i := infinite - 1; i >= 0; i-- {
		up(1<<14|uint32(i), -math.Float32frombits(uint32(i)<<17|0x1ffff))
	}
	for i := range uint32(infinite) {
		up(i, math.Float32frombits(i<<17))
	}
}

// Nearest returns the code of x as a fraction of top; half way between two it is the lower one.
func (c *Code8) Nearest(x, top float64) uint8 {
	if top == 0 {
		return c.Zero
	}
	c.once.Do(c.index)
	f := float32(x / top)
	code := c.least[math.Float32bits(f)>>17]
	for code < 255 && f > c.Middle[code] {
		code++
	}
	return code
}

// NearestSecond is Nearest by Unsigned8 for a second moment: above zero it stays so.
func NearestSecond(x, top float64) uint8 {
	code := Unsigned8.Nearest(x, top)
	if code == 0 && x > 0 {
		return 1
	}
	return code
}
