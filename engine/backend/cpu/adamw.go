package cpu

import (
	"math"

	"tunebook/engine/backend"
)

// SumSquares writes the sum of the squares of x to out[0], summed in float64.
func (b *Backend) SumSquares(out, x backend.Buffer) {
	n := x.Len()
	xs, o := floats("SumSquares", "x", x, n), floats("SumSquares", "out", out, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	chunks := ceilDiv(n, grain)
	if cap(b.doubles) < chunks {
		b.doubles = make([]float64, chunks)
	}
	t := &b.tasks.sumSquares
	*t = sumSquaresTask{k: b.k, x: xs, sums: b.doubles[:chunks]}
	b.pool.run(chunks, t)
	var s float64
	for _, v := range t.sums {
		s += v
	}
	o[0] = float32(s)
	*t = sumSquaresTask{}
}

type sumSquaresTask struct {
	k    *kernels
	x    []float32
	sums []float64
}

func (t *sumSquaresTask) do(_, i int) {
	at := i * grain
	t.sums[i] = t.k.sumSquares(&t.x[at], min(grain, len(t.x)-at))
}

// adamwCoef holds the numbers of an update in the order in which the kernels read them:
//
//	g = gradScale·grad;  m = beta1·m + beta1c·g;  v = beta2·v + beta2c·g²;  p = decay·p - step·m / (sqrt(vScale·v) + eps)
type adamwCoef struct{ gradScale, beta1, beta1c, beta2, beta2c, decay, step, vScale, eps float32 }

func newAdamWCoef(s backend.AdamWStep) adamwCoef {
	lr, b1, b2 := float64(s.LR), float64(s.Beta1), float64(s.Beta2)
	return adamwCoef{
		gradScale: s.GradScale,
		beta1:     s.Beta1, beta1c: float32(1 - b1),
		beta2: s.Beta2, beta2c: float32(1 - b2),
		decay:  float32(1 - lr*float64(s.WeightDecay)),
		step:   float32(lr / (1 - math.Pow(b1, float64(s.Step)))),
		vScale: float32(1 / (1 - math.Pow(b2, float64(s.Step)))),
		eps:    s.Eps,
	}
}

// AdamW updates p, m and v from the gradient g in one pass; see backend.Ops.
func (b *Backend) AdamW(p, m, v, g backend.Buffer, s backend.AdamWStep) {
	n := p.Len()
	sameLength("AdamW", p, m)
	sameLength("AdamW", p, v)
	sameLength("AdamW", p, g)
	ps, ms := floats("AdamW", "p", p, n), floats("AdamW", "m", m, n)
	vs, gs := floats("AdamW", "v", v, n), floats("AdamW", "g", g, n)
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &b.tasks.adamw
	*t = adamwTask{k: b.k, p: ps, m: ms, v: vs, g: gs, coef: newAdamWCoef(s)}
	b.pool.run(ceilDiv(n, grain), t)
	*t = adamwTask{}
}

type adamwTask struct {
	k          *kernels
	p, m, v, g []float32
	coef       adamwCoef
}

func (t *adamwTask) do(_, i int) {
	at := i * grain
	t.k.adamw(&t.p[at], &t.m[at], &t.v[at], &t.g[at], &t.coef.gradScale, min(grain, len(t.p)-at))
}
