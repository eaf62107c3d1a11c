package ref

import (
	"math"

	"tunebook/engine/backend"
)

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// SwiGLUForward writes y = silu(gate)·up.
func (*Backend) SwiGLUForward(y, gate, up backend.Buffer, n int) {
	const op = "SwiGLUForward"
	ys, gs, us := floats(op, "y", y, n), floats(op, "gate", gate, n), floats(op, "up", up, n)
	for i := range n {
		g, u := float64(gs[i]), float64(us[i])
		ys[i] = float32(g * sigmoid(g) * u)
	}
}

// SwiGLUBackward writes dGate = dY·up·silu'(gate), with silu'(g) = σ(g)·(1 + g·(1-σ(g))), and dUp = dY·silu(gate).
func (*Backend) SwiGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int) {
	const op = "SwiGLUBackward"
	dg, du, dy := floats(op, "dGate", dGate, n), floats(op, "dUp", dUp, n), floats(op, "dY", dY, n)
	gs, us := floats(op, "gate", gate, n), floats(op, "up", up, n)
	for i := range n {
		d, g, u := float64(dy[i]), float64(gs[i]), float64(us[i])
		s := sigmoid(g)
		dg[i] = float32(d * u * s * (1 + g*(1-s)))
		du[i] = float32(d * g * s)
	}
}
