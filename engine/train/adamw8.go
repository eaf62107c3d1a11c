package train

import (
	"math"
	"sort"

	"tunebook/engine/grad"
)

// adamW8 is AdamW whose moments take a byte each: in blocks of 256 elements they are held as fractions of the block's
// largest, by a code of 256 values that lie close together near zero. An update is computed from the moments before they
// are rounded, and a second moment above zero is not rounded to zero, which would divide the next update by Eps alone. Parameters of fewer than 4096 elements keep float32 moments, as in the paper's implementation.
// Source: Dettmers et al. 2022, arXiv:2110.02861, sections 2 and 3 (block-wise dynamic quantisation).
type adamW8 struct{ cfg Config }

const (
	block8   = 256
	minimum8 = 4096
)

func (r adamW8) slot(p *grad.Param) *slot {
	n := p.Len()
	if n < minimum8 {
		return &slot{names: []string{"m/", "v/"}, data: [][]float32{make([]float32, n), make([]float32, n)}}
	}
	blocks := (n + block8 - 1) / block8
	s := &slot{names: []string{"mmax/", "vmax/"}, data: [][]float32{make([]float32, blocks), make([]float32, blocks)}}
	s.codes = [2][]uint8{make([]uint8, n), make([]uint8, n)}
	for i := range s.codes[0] {
		s.codes[0][i] = signed8.zero // of the other code zero is the smallest
	}
	return s
}

func (r adamW8) apply(p *grad.Param, s *slot, x, g []float32, u update) {
	b1, b2 := r.cfg.Beta1, r.cfg.Beta2
	c1, c2 := 1-math.Pow(b1, float64(u.n)), 1-math.Pow(b2, float64(u.n))
	one := func(x *float32, g float32, m, v float64) (float64, float64) {
		d := u.scale * float64(g)
		m, v = b1*m+(1-b1)*d, b2*v+(1-b2)*d*d
		*x = float32(float64(*x)*(1-u.lr*u.decay) - u.lr*(m/c1)/(math.Sqrt(v/c2)+r.cfg.Eps))
		return m, v
	}
	if len(x) < minimum8 {
		for i := range x {
			m, v := one(&x[i], g[i], float64(s.data[0][i]), float64(s.data[1][i]))
			s.data[0][i], s.data[1][i] = float32(m), float32(v)
		}
		return
	}
	parallel(len(x), block8, func(from, to int) {
		var m, v [block8]float64
		for at := from; at < to; at += block8 {
			n, b := min(block8, to-at), at/block8
			mmax, vmax := 0.0, 0.0
			for i := range n {
				j := at + i
				m[i], v[i] = one(&x[j], g[j], float64(signed8.values[s.codes[0][j]])*float64(s.data[0][b]), float64(unsigned8.values[s.codes[1][j]])*float64(s.data[1][b]))
				mmax, vmax = max(mmax, math.Abs(m[i])), max(vmax, v[i])
			}
			s.data[0][b], s.data[1][b] = float32(mmax), float32(vmax)
			for i := range n {
				s.codes[0][at+i] = signed8.nearest(m[i], mmax)
				s.codes[1][at+i] = unsigned8.nearest(v[i], vmax)
				if v[i] > 0 && s.codes[1][at+i] == 0 {
					s.codes[1][at+i] = 1
				}
			}
		}
	})
}

// code8 is a sorted list of the 256 fractions that a byte stands for.
type code8 struct {
	values [256]float32
	middle [255]float32 // between two neighbours
	zero   uint8
}

var signed8, unsigned8 = newCode8(true), newCode8(false)

// newCode8 makes the dynamic code: zero, one, and for each power of ten from 1e-6 to 1 twice as many means of equal parts of
// [0.1, 1] as for the power before; with their negatives where it is signed.
func newCode8(signed bool) (c code8) {
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
		c.values[i] = float32(x)
		if x == 0 {
			c.zero = uint8(i)
		}
	}
	for i := range c.middle {
		c.middle[i] = (c.values[i] + c.values[i+1]) / 2
	}
	return c
}

// nearest returns the code of x as a fraction of top.
func (c *code8) nearest(x, top float64) uint8 {
	if top == 0 {
		return c.zero
	}
	f := float32(x / top)
	lo, hi := 0, 255
	for lo < hi {
		mid := (lo + hi) / 2
		if f > c.middle[mid] {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return uint8(lo)
}
