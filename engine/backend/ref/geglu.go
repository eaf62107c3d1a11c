package ref

import (
	"math"

	"tunebook/engine/backend"
)

// geluShare returns the share s of v that gelu(v) = v·s lets through, and its derivative.
func geluShare(v float64, tanh bool) (s, ds float64) {
	if !tanh {
		return math.Erfc(-v/math.Sqrt2) / 2, math.Exp(-v*v/2) / math.Sqrt(2*math.Pi)
	}
	const k = 0.044715
	a := math.Sqrt(2 / math.Pi)
	u := math.Tanh(a * (v + k*v*v*v))
	return (1 + u) / 2, (1 - u*u) / 2 * a * (1 + 3*k*v*v)
}

// GeGLUForward writes y = gelu(gate)·up, or gelu(gate) where up is nil.
func (*Backend) GeGLUForward(y, gate, up backend.Buffer, n int, tanh bool) {
	const op = "GeGLUForward"
	ys, gs := floats(op, "y", y, n), floats(op, "gate", gate, n)
	us := onesWhereNil(op, up, n)
	for i := range n {
		g := float64(gs[i])
		s, _ := geluShare(g, tanh)
		ys[i] = float32(g * s * us(i))
	}
}

// GeGLUBackward writes dGate = dY·up·gelu'(gate), gelu'(v) = s(v) + v·s'(v), and dUp = dY·gelu(gate).
func (*Backend) GeGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int, tanh bool) {
	const op = "GeGLUBackward"
	if (dUp == nil) != (up == nil) {
		panic("GeGLUBackward: dUp and up go together; one of them is nil")
	}
	dg, dy, gs := floats(op, "dGate", dGate, n), floats(op, "dY", dY, n), floats(op, "gate", gate, n)
	us := onesWhereNil(op, up, n)
	var du []float32
	if dUp != nil {
		du = floats(op, "dUp", dUp, n)
	}
	for i := range n {
		d, g, u := float64(dy[i]), float64(gs[i]), us(i)
		s, ds := geluShare(g, tanh)
		dg[i] = float32(d * u * (s + g*ds))
		if du != nil {
			du[i] = float32(d * g * s)
		}
	}
}

// onesWhereNil returns the elements of up, all 1 where it is nil.
func onesWhereNil(op string, up backend.Buffer, n int) func(i int) float64 {
	if up == nil {
		return func(int) float64 { return 1 }
	}
	us := floats(op, "up", up, n)
	return func(i int) float64 { return float64(us[i]) }
}
