package cpu

import (
	"math"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
	"tunebook/engine/weights"
)

// SumSquares writes the sum of the squares of xs[i] to out[i], summed in float64.
func (b *Backend) SumSquares(out backend.Buffer, xs []backend.Buffer) {
	o := floats("SumSquares", "out", out, len(xs))
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &b.tasks.sumSquares
	t.k, t.x, t.items = b.k, t.x[:0], t.items[:0]
	chunks := 0
	for _, x := range xs {
		n := x.Len()
		t.x, t.items = append(t.x, floats("SumSquares", "x", x, n)), append(t.items, chunks)
		chunks += ceilDiv(n, grain)
	}
	if cap(b.doubles) < chunks {
		b.doubles = make([]float64, chunks)
	}
	t.sums = b.doubles[:chunks]
	b.pool.run(chunks, t)
	for i, x := range t.x {
		var s float64
		for _, v := range t.sums[t.items[i]:][:ceilDiv(len(x), grain)] {
			s += v
		}
		o[i] = float32(s)
	}
	clear(t.x)
}

type sumSquaresTask struct {
	k     *kernels
	x     [][]float32
	items []int // the first item of each
	sums  []float64
}

func (t *sumSquaresTask) do(_, item int) {
	i := owner(t.items, item)
	x, at := t.x[i], (item-t.items[i])*grain
	t.sums[item] = t.k.sumSquares(&x[at], min(grain, len(x)-at))
}

// owner returns the last i whose first item is not behind item: first grows, and what has no items is passed over.
func owner(first []int, item int) int {
	lo, hi := 0, len(first)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if first[mid] <= item {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// adamwCoef holds the numbers of an update in the order in which the kernels read them:
//
//	g = gradScale·grad;  m = beta1·m + beta1c·g;  v = beta2·v + beta2c·g²;  p = decay·p - step·m / (sqrt(vScale·v) + eps)
type adamwCoef struct{ gradScale, beta1, beta1c, beta2, beta2c, decay, step, vScale, eps float32 }

func newAdamWCoef(k backend.AdamWNumbers) adamwCoef {
	return adamwCoef{
		gradScale: float32(k.Scale),
		beta1:     float32(k.Beta1), beta1c: float32(1 - k.Beta1),
		beta2: float32(k.Beta2), beta2c: float32(1 - k.Beta2),
		decay:  float32(1 - k.LR*k.Decay),
		step:   float32(k.LR / k.C1),
		vScale: float32(1 / k.C2),
		eps:    float32(k.Eps),
	}
}

// AdamW updates all tensors in one pass; see backend.Ops. Moments in a byte are computed in float64, element by element as ref does
// it: the same bits.
func (b *Backend) AdamW(tensors []backend.AdamWTensor, s backend.AdamWStep) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &b.tasks.adamw
	t.b, t.step, t.of, t.items = b, s.Step, t.of[:0], t.items[:0]
	items := 0
	for i := range tensors {
		x := &tensors[i]
		n := x.Check()
		u := adamwTensor{p: floats("AdamW", "p", x.P, n), g: floats("AdamW", "g", x.G, n), from: x.From, form: x.Moments.Form, numbers: s.Of(x)}
		u.coef = newAdamWCoef(u.numbers)
		dt, words, tops := u.form.Sizes(n)
		if dt == tensor.F32 {
			u.m, u.v = floats("AdamW", "m", x.Moments.M, words), floats("AdamW", "v", x.Moments.V, words)
		} else {
			u.mw, u.vw = ints("AdamW", "m", x.Moments.M, words), ints("AdamW", "v", x.Moments.V, words)
		}
		if tops > 0 {
			u.m, u.v = floats("AdamW", "mtop", x.Moments.MTop, tops), floats("AdamW", "vtop", x.Moments.VTop, tops)
		}
		if x.Rounded != nil {
			u.rounded = floats("AdamW", "rounded", x.Rounded, n)
		}
		t.of, t.items = append(t.of, u), append(t.items, items)
		items += ceilDiv(n, grain)
	}
	b.pool.run(items, t)
	clear(t.of)
}

type adamwTask struct {
	b     *Backend
	step  int
	of    []adamwTensor
	items []int // the first item of each
}

// adamwTensor is a tensor's memory. m and v are its moments, or their blocks' largest in 8 bits; mw and vw their words.
type adamwTensor struct {
	p, g, rounded, m, v []float32
	mw, vw              []int32
	form                backend.MomentForm
	from                int
	numbers             backend.AdamWNumbers
	coef                adamwCoef
}

func (t *adamwTask) do(w, item int) {
	i := owner(t.items, item)
	u := &t.of[i]
	at := (item - t.items[i]) * grain
	end := min(at+grain, len(u.p))
	switch {
	case u.form == backend.MomentsF32:
		t.b.k.adamw(&u.p[at], &u.m[at], &u.v[at], &u.g[at], &u.coef.gradScale, end-at)
	case u.form == backend.MomentsBF16:
		t.b.scratch[w] = grow(t.b.scratch[w], 1024)
		u.bf16(t.b.k, t.b.scratch[w], t.step, at, end)
	case u.mw == nil:
		for i := at; i < end; i++ {
			m, v := u.one(i, float64(u.m[i]), float64(u.v[i]))
			u.m[i], u.v[i] = float32(m), float32(v)
		}
	default:
		for ; at < end; at += backend.MomentBlock {
			u.block(at, min(at+backend.MomentBlock, end))
		}
		at = (item - t.items[i]) * grain
	}
	if u.rounded != nil {
		for i := at; i < end; i++ {
			u.rounded[i] = weights.BFloat16(weights.ToBFloat16(u.p[i]))
		}
	}
}

// bf16 updates elements at … end, at even, whose moments are written out to scratch for as long as that takes.
func (u *adamwTensor) bf16(k *kernels, scratch []float32, step, at, end int) {
	m, v := scratch[:512], scratch[512:1024]
	for ; at < end; at += len(m) {
		n := min(len(m), end-at)
		for i := 0; i < n; i += 2 {
			a, b := uint32(u.mw[(at+i)/2]), uint32(u.vw[(at+i)/2])
			m[i], m[i+1] = math.Float32frombits(a<<16), math.Float32frombits(a&^0xffff)
			v[i], v[i+1] = math.Float32frombits(b<<16), math.Float32frombits(b&^0xffff)
		}
		k.adamw(&u.p[at], &m[0], &v[0], &u.g[at], &u.coef.gradScale, n)
		if n%2 == 1 {
			m[n], v[n] = 0, 0 // behind the last there is nothing
		}
		for i := 0; i < n; i += 2 {
			x, y := backend.MomentNoise(step, u.from+at+i), backend.MomentNoise(step, u.from+at+i+1)
			u.mw[(at+i)/2] = int32(uint32(backend.StochasticBF16(m[i], x)) | uint32(backend.StochasticBF16(m[i+1], y))<<16)
			u.vw[(at+i)/2] = int32(uint32(backend.StochasticBF16(v[i], x>>16)) | uint32(backend.StochasticBF16(v[i+1], y>>16))<<16)
		}
	}
}

// one updates element i from its moments and returns the new ones.
func (u *adamwTensor) one(i int, m, v float64) (float64, float64) {
	k := &u.numbers
	d := k.Scale * float64(u.g[i])
	m, v = k.Beta1*m+(1-k.Beta1)*d, k.Beta2*v+(1-k.Beta2)*d*d
	u.p[i] = float32(float64(u.p[i])*(1-k.LR*k.Decay) - k.LR*(m/k.C1)/(math.Sqrt(v/k.C2)+k.Eps))
	return m, v
}

// block updates a block of 8-bit moments, elements at … end.
func (u *adamwTensor) block(at, end int) {
	var m, v [backend.MomentBlock]float64
	b := at / backend.MomentBlock
	mtop, vtop := float64(u.m[b]), float64(u.v[b])
	mmax, vmax := 0.0, 0.0
	for i := range end - at {
		j := at + i
		m[i], v[i] = u.one(j, float64(backend.Signed8.Values[uint8(u.mw[j/4]>>(8*(j%4)))])*mtop, float64(backend.Unsigned8.Values[uint8(u.vw[j/4]>>(8*(j%4)))])*vtop)
		mmax, vmax = max(mmax, math.Abs(m[i])), max(vmax, v[i])
	}
	u.m[b], u.v[b] = float32(mmax), float32(vmax)
	for i := 0; i < end-at; i += 4 {
		var x, y uint32
		for j := range min(4, end-at-i) {
			x |= uint32(backend.Signed8.Nearest(m[i+j], mmax)) << (8 * j)
			y |= uint32(backend.NearestSecond(v[i+j], vmax)) << (8 * j)
		}
		u.mw[(at+i)/4], u.vw[(at+i)/4] = int32(x), int32(y)
	}
}
