package ref

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

// AdamW updates p, m and v from g, with ĝ = GradScale·g and s = Step:
//
//	m = β₁·m + (1-β₁)·ĝ    v = β₂·v + (1-β₂)·ĝ²
//	p = p - LR·WeightDecay·p - LR·(m/(1-β₁ˢ)) / (sqrt(v/(1-β₂ˢ)) + Eps)
func (*Backend) AdamW(p, m, v, g backend.Buffer, s backend.AdamWStep) {
	if s.Step < 1 {
		panic(fmt.Sprintf("AdamW: step %d; steps count from 1", s.Step))
	}
	ps, gs := pair("AdamW", p, g)
	ms, vs := pair("AdamW", m, v)
	if len(ps) != len(ms) {
		panic(fmt.Sprintf("AdamW: %d parameters and %d moments; wanted the same length", len(ps), len(ms)))
	}
	b1, b2, lr := float64(s.Beta1), float64(s.Beta2), float64(s.LR)
	c1, c2 := 1-math.Pow(b1, float64(s.Step)), 1-math.Pow(b2, float64(s.Step))
	for i := range ps {
		g := float64(s.GradScale) * float64(gs[i])
		m := b1*float64(ms[i]) + (1-b1)*g
		v := b2*float64(vs[i]) + (1-b2)*g*g
		p := float64(ps[i])
		p -= lr * float64(s.WeightDecay) * p
		p -= lr * (m / c1) / (math.Sqrt(v/c2) + float64(s.Eps))
		ps[i], ms[i], vs[i] = float32(p), float32(m), float32(v)
	}
}
