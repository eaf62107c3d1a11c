package ref

import (
	"math"

	"tunebook/engine/backend"
)

// AdamW updates the tensors one after the other, each with its moments written out in float64 for as long as that takes.
func (*Backend) AdamW(tensors []backend.AdamWTensor, s backend.AdamWStep) {
	for i := range tensors {
		t := &tensors[i]
		n, k := t.Check(), s.Of(t)
		ps, gs := floats("AdamW", "p", t.P, n), floats("AdamW", "g", t.G, n)
		m, v := moments(&t.Moments, n)
		for i := range ps {
			g := k.Scale * float64(gs[i])
			m[i] = k.Beta1*m[i] + (1-k.Beta1)*g
			v[i] = k.Beta2*v[i] + (1-k.Beta2)*g*g
			ps[i] = float32(float64(ps[i])*(1-k.LR*k.Decay) - k.LR*(m[i]/k.C1)/(math.Sqrt(v[i]/k.C2)+k.Eps))
		}
		keep(&t.Moments, m, v, s.Step, t.From)
		if t.Rounded != nil {
			rounded := floats("AdamW", "rounded", t.Rounded, n)
			for i, p := range ps {
				rounded[i] = nearestBF16(p)
			}
		}
	}
}

// moments returns the numbers that moments of n elements stand for.
func moments(x *backend.Moments, n int) (m, v []float64) {
	m, v = make([]float64, n), make([]float64, n)
	_, words, tops := x.Form.Sizes(n)
	switch x.Form.Of(n) {
	case backend.MomentsF32:
		for i, f := range floats("AdamW", "m", x.M, words) {
			m[i] = float64(f)
		}
		for i, f := range floats("AdamW", "v", x.V, words) {
			v[i] = float64(f)
		}
	case backend.MomentsBF16:
		ms, vs := ints("AdamW", "m", x.M, words), ints("AdamW", "v", x.V, words)
		for i := range n {
			m[i] = float64(math.Float32frombits(uint32(ms[i/2]) >> (16 * (i % 2)) << 16))
			v[i] = float64(math.Float32frombits(uint32(vs[i/2]) >> (16 * (i % 2)) << 16))
		}
	case backend.Moments8:
		ms, vs := ints("AdamW", "m", x.M, words), ints("AdamW", "v", x.V, words)
		mtop, vtop := floats("AdamW", "mtop", x.MTop, tops), floats("AdamW", "vtop", x.VTop, tops)
		for i := range n {
			b := i / backend.MomentBlock
			m[i] = float64(backend.Signed8.Values[uint8(ms[i/4]>>(8*(i%4)))]) * float64(mtop[b])
			v[i] = float64(backend.Unsigned8.Values[uint8(vs[i/4]>>(8*(i%4)))]) * float64(vtop[b])
		}
	}
	return m, v
}

// keep rounds moments to their form. from is the place of the first in the whole tensor.
func keep(x *backend.Moments, m, v []float64, step, from int) {
	n := len(m)
	_, words, tops := x.Form.Sizes(n)
	switch x.Form.Of(n) {
	case backend.MomentsF32:
		round(floats("AdamW", "m", x.M, words), m)
		round(floats("AdamW", "v", x.V, words), v)
	case backend.MomentsBF16:
		ms, vs := ints("AdamW", "m", x.M, words), ints("AdamW", "v", x.V, words)
		clear(ms)
		clear(vs)
		for i := range n {
			noise := backend.MomentNoise(step, from+i)
			ms[i/2] |= int32(uint32(backend.StochasticBF16(float32(m[i]), noise)) << (16 * (i % 2)))
			vs[i/2] |= int32(uint32(backend.StochasticBF16(float32(v[i]), noise>>16)) << (16 * (i % 2)))
		}
	case backend.Moments8:
		ms, vs := ints("AdamW", "m", x.M, words), ints("AdamW", "v", x.V, words)
		mtop, vtop := floats("AdamW", "mtop", x.MTop, tops), floats("AdamW", "vtop", x.VTop, tops)
		clear(ms)
		clear(vs)
		for at := 0; at < n; at += backend.MomentBlock {
			end := min(n, at+backend.MomentBlock)
			mmax, vmax := 0.0, 0.0
			for i := at; i < end; i++ {
				mmax, vmax = max(mmax, math.Abs(m[i])), max(vmax, v[i])
			}
			mtop[at/backend.MomentBlock], vtop[at/backend.MomentBlock] = float32(mmax), float32(vmax)
			for i := at; i < end; i++ {
				ms[i/4] |= int32(uint32(backend.Signed8.Nearest(m[i], mmax)) << (8 * (i % 4)))
				vs[i/4] |= int32(uint32(backend.NearestSecond(v[i], vmax)) << (8 * (i % 4)))
			}
		}
	}
}

// nearestBF16 rounds to the nearest bfloat16, halves to even.
func nearestBF16(x float32) float32 {
	u := math.Float32bits(x)
	if x != x {
		return math.Float32frombits(u&^0xffff | 1<<22)
	}
	return math.Float32frombits((u + 0x7fff + u>>16&1) &^ 0xffff)
}
