package cpu

import (
	"math"

	"tunebook/engine/backend"
)

// GeGLUForward writes y = gelu(gate)·up, or gelu(gate) where up is nil; see backend.Ops.
func (b *Backend) GeGLUForward(y, gate, up backend.Buffer, n int, tanh bool) {
	const op = "GeGLUForward"
	b.geglu(gegluTask{n: n, tanh: tanh, y: floats(op, "y", y, n), gate: floats(op, "gate", gate, n), up: optional(op, "up", up, n)})
}

// GeGLUBackward writes dGate and dUp; see backend.Ops.
func (b *Backend) GeGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int, tanh bool) {
	const op = "GeGLUBackward"
	if (dUp == nil) != (up == nil) {
		panic("GeGLUBackward: dUp and up go together; one of them is nil")
	}
	b.geglu(gegluTask{n: n, tanh: tanh, y: floats(op, "dGate", dGate, n), dUp: optional(op, "dUp", dUp, n),
		dY: floats(op, "dY", dY, n), gate: floats(op, "gate", gate, n), up: optional(op, "up", up, n)})
}

func (b *Backend) geglu(t gegluTask) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.k, t.scratches = b.k, b.scratch
	b.tasks.geglu = t
	b.pool.run(ceilDiv(t.n, gegluGrain), &b.tasks.geglu)
	b.tasks.geglu = gegluTask{}
}

// gegluGrain is the number of elements of an item: two rows of scratch that stay in the first cache.
const gegluGrain = 2048

// gegluTask is the forward pass into y, or, with dY, the backward pass into y (dGate) and dUp.
type gegluTask struct {
	k            *kernels
	n            int
	tanh         bool
	y, dUp       []float32
	dY, gate, up []float32
	scratches    [][]float32
}

func (t *gegluTask) do(w, i int) {
	at := i * gegluGrain
	n := min(gegluGrain, t.n-at)
	t.scratches[w] = grow(t.scratches[w], 2*gegluGrain)
	s, e := t.scratches[w][:n], t.scratches[w][gegluGrain:gegluGrain+n]
	gate := t.gate[at : at+n]
	if t.tanh {
		t.shareTanh(s, e, gate)
	} else {
		t.shareErf(s, e, gate)
	}
	y := t.y[at : at+n]
	if t.dY == nil {
		for j, g := range gate {
			s[j] *= g
		}
		if t.up == nil {
			copy(y, s)
			return
		}
		for j, u := range t.up[at : at+n] {
			y[j] = s[j] * u
		}
		return
	}
	dy := t.dY[at : at+n]
	if t.up == nil {
		for j, d := range dy {
			y[j] = d * (s[j] + gate[j]*e[j])
		}
		return
	}
	up, du := t.up[at:at+n], t.dUp[at:at+n]
	for j, d := range dy { // everything is read before anything is written: outputs may lie in inputs
		g, u := gate[j], up[j]
		dg := d * u * (s[j] + g*e[j])
		v := d * g * s[j]
		y[j], du[j] = dg, v
	}
}

// shareTanh writes to s the share that gelu(v) = v·s lets through and to ds its derivative. With
// z = 2·sqrt(2/π)·(v+0.044715v³), s = σ(z) and ds = σ(z)·σ(-z)·z'. The exponential is of -|z|, which cannot overflow.
func (t *gegluTask) shareTanh(s, ds, v []float32) {
	const a, c = 1.5957691216057308, 1.5957691216057308 * 0.044715
	for j, x := range v {
		ds[j] = -float32(math.Abs(float64(x * (a + c*x*x))))
	}
	t.k.expRow(&ds[0], &ds[0], 0, len(ds))
	for j, x := range v {
		e := ds[j]
		r := 1 / (1 + e)
		s[j] = r
		if x < 0 {
			s[j] = e * r
		}
		ds[j] = e * r * r * (a + 3*c*x*x)
	}
}

// shareErf is shareTanh for s = Φ(v), whose derivative is the normal density.
func (t *gegluTask) shareErf(s, ds, v []float32) {
	for j, x := range v {
		ds[j] = -x * x / 2
	}
	t.k.expRow(&ds[0], &ds[0], 0, len(ds))
	for j, x := range v {
		s[j] = float32(math.Erfc(-float64(x)/math.Sqrt2) / 2)
		ds[j] *= 0.3989422804014327
	}
}
