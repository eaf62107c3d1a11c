package conform

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

var gradientChecks = []Check{
	{"MatMul/gradient", matmulGradient}, {"EmbeddingBackward/gradient", embeddingGradient},
	{"RMSNormBackward/gradient", rmsnormGradient}, {"RoPE/gradient", ropeGradient},
	{"LayerNormBackward/gradient", layernormGradient}, {"SumRows/gradient", biasGradient}, {"ScaleColumnsBackward/gradient", scaleGradient}, {"GeGLUBackward/gradient", gegluGradient},
	{"SwiGLUBackward/gradient", swigluGradient}, {"AttentionBackward/gradient", attentionGradient},
	{"LinearCrossEntropy/gradient", crossEntropyGradient},
}

// differ compares the gradient of a loss with its finite differences in every element of x, which loss reads. The
// differences are of fourth order: with h = 1/32 they err by h⁴ ≈ 1e-6 from curvature, and by about 3e-6 from the forward
// pass's float32 rounding.
func differ(t T, what string, x, gradient []float32, loss func() float64) {
	t.Helper()
	const h = 1.0 / 32
	scale := rms(gradient)
	for i, old := range x {
		at := func(step float64) float64 {
			x[i] = float32(float64(old) + step)
			return loss()
		}
		want := (8*(at(h)-at(-h)) - (at(2*h) - at(-2*h))) / (12 * h)
		x[i] = old
		if d := math.Abs(float64(gradient[i]) - want); !(d <= gradientTolerance*(math.Abs(want)+scale+1e-2)) {
			t.Errorf("%s[%d] is %v; finite differences give %v", what, i, gradient[i], want)
			return
		}
	}
}

// weighted returns Σ r·y in float64: a loss whose gradient with respect to y is r.
func weighted(r, y []float32) float64 {
	var sum float64
	for i := range y {
		sum += float64(r[i]) * float64(y[i])
	}
	return sum
}

// added returns what a call added to an operand that held old.
func added(after, old []float32) []float32 {
	d := make([]float32, len(old))
	for i := range d {
		d[i] = after[i] - old[i]
	}
	return d
}

// with sets operands' contents, which the call reads at every run.
func (c *call) with(contents map[string][]float32) *call {
	for name, f := range contents {
		c.operand(name).f = f
	}
	return c
}

// matmulGradient: of y = x·Wᵀ (NT), dX = dY·W (NN) and dW += dYᵀ·x (TN).
func matmulGradient(t T, b backend.Backend) {
	r := newRandom("MatMul gradient")
	const m, n, k = 5, 7, 9
	forward := matmulCall(r, m, n, k, backend.NT, 1, 0)
	x, w, dY := forward.operand("a").f, forward.operand("b").f, r.floats(m*n, 1)
	dX := matmulCall(r, m, k, n, backend.NN, 1, 0).with(map[string][]float32{"a": dY, "b": w}).run(t, b, true, "")
	dWCall := matmulCall(r, n, k, m, backend.TN, 1, 1).with(map[string][]float32{"a": dY, "b": x})
	dW := dWCall.run(t, b, true, "")
	loss := func() float64 { return weighted(dY, forward.run(t, b, true, "")["c"].f) }
	differ(t, "MatMul: dX", x, dX["c"].f, loss)
	differ(t, "MatMul: dW", w, added(dW["c"].f, dWCall.operand("c").f), loss)
}

func embeddingGradient(t T, b backend.Backend) {
	r := newRandom("Embedding gradient")
	const rows, c = 7, 3
	forward, backward := embeddingForward(r, rows, c), embeddingBackward(r, rows, c)
	backward.operand("ids").i = forward.operand("ids").i
	w, dY := forward.operand("w").f, backward.operand("dY").f
	after := backward.run(t, b, true, "")
	loss := func() float64 { return weighted(dY, forward.run(t, b, true, "")["y"].f) }
	differ(t, "EmbeddingBackward: dW", w, added(after["dW"].f, backward.operand("dW").f), loss)
}

// rmsnormGradient goes through both results of the forward pass: the loss is dY·y + dSum·sum.
func rmsnormGradient(t T, b backend.Backend) {
	r := newRandom("RMSNorm gradient")
	for _, c := range []int{1, 5, 31} {
		const rows = 3
		forward := rmsnormForward(r, rows, c, "apart")
		after := forward.run(t, b, true, "")
		x, res, w := forward.operand("x").f, forward.operand("res").f, forward.operand("w").f
		backward := rmsnormBackward(r, rows, c, "apart", true).with(map[string][]float32{"x": after["sum"].f, "w": w, "rstd": after["rstd"].f})
		dY, dSum := backward.operand("dY").f, backward.operand("dSum").f
		got := backward.run(t, b, true, "")
		loss := func() float64 {
			y := forward.run(t, b, true, "")
			return weighted(dY, y["y"].f) + weighted(dSum, y["sum"].f)
		}
		differ(t, fmt.Sprintf("RMSNormBackward: C %d: dX for x", c), x, got["dX"].f, loss)
		differ(t, fmt.Sprintf("RMSNormBackward: C %d: dX for res", c), res, got["dX"].f, loss)
		differ(t, fmt.Sprintf("RMSNormBackward: C %d: dW", c), w, added(got["dW"].f, backward.operand("dW").f), loss)
	}
}

// layernormGradient goes through both results of the forward pass, as rmsnormGradient does.
func layernormGradient(t T, b backend.Backend) {
	r := newRandom("LayerNorm gradient")
	for _, c := range []int{2, 5, 31} {
		const rows = 3
		forward := layernormForward(r, rows, c, "apart")
		after := forward.run(t, b, true, "")
		x, res, w, bias := forward.operand("x").f, forward.operand("res").f, forward.operand("w").f, forward.operand("b").f
		backward := layernormBackward(r, rows, c, "apart", true).with(map[string][]float32{
			"x": after["sum"].f, "w": w, "mean": after["mean"].f, "rstd": after["rstd"].f})
		dY, dSum := backward.operand("dY").f, backward.operand("dSum").f
		got := backward.run(t, b, true, "")
		loss := func() float64 {
			y := forward.run(t, b, true, "")
			return weighted(dY, y["y"].f) + weighted(dSum, y["sum"].f)
		}
		differ(t, fmt.Sprintf("LayerNormBackward: C %d: dX for x", c), x, got["dX"].f, loss)
		differ(t, fmt.Sprintf("LayerNormBackward: C %d: dX for res", c), res, got["dX"].f, loss)
		differ(t, fmt.Sprintf("LayerNormBackward: C %d: dW", c), w, added(got["dW"].f, backward.operand("dW").f), loss)
		differ(t, fmt.Sprintf("LayerNormBackward: C %d: dB", c), bias, added(got["dB"].f, backward.operand("dB").f), loss)
	}
}

// scaleGradient: the divisors are constants.
func scaleGradient(t T, b backend.Backend) {
	r := newRandom("ScaleColumns gradient")
	const rows, c = 4, 7
	forward, backward := scaleForward(r, rows, c, false), scaleBackward(r, rows, c, false, true)
	x, m := forward.operand("x").f, forward.operand("m").f
	backward.with(map[string][]float32{"x": x, "m": m, "d": forward.operand("d").f})
	dY := backward.operand("dY").f
	got := backward.run(t, b, true, "")
	loss := func() float64 { return weighted(dY, forward.run(t, b, true, "")["y"].f) }
	differ(t, "ScaleColumnsBackward: dX", x, got["dX"].f, loss)
	differ(t, "ScaleColumnsBackward: dM", m, added(got["dM"].f, backward.operand("dM").f), loss)
}

// biasGradient: SumRows is the gradient of AddBias.
func biasGradient(t T, b backend.Backend) {
	r := newRandom("bias gradient")
	const rows, c = 4, 7
	forward, backward := addBias(r, rows, c), sumRows(r, rows, c)
	dY := backward.operand("dY").f
	got := backward.run(t, b, true, "")
	loss := func() float64 { return weighted(dY, forward.run(t, b, true, "")["y"].f) }
	differ(t, "SumRows: dB", forward.operand("b").f, added(got["dB"].f, backward.operand("dB").f), loss)
}

func gegluGradient(t T, b backend.Backend) {
	r := newRandom("GeGLU gradient")
	const n = 37
	for _, tanh := range []bool{false, true} {
		for _, where := range []string{"", "no up"} {
			forward, backward := gegluForward(r, n, where, tanh), gegluBackward(r, n, where, tanh)
			gate, up := r.floats(n, 1.5), r.floats(n, 1)
			set := map[string][]float32{"gate": gate}
			if where == "" {
				set["up"] = up
			}
			forward.with(set)
			backward.with(set)
			dY := backward.operand("dY").f
			after := backward.run(t, b, true, "")
			loss := func() float64 { return weighted(dY, forward.run(t, b, true, "")["y"].f) }
			what := fmt.Sprintf("GeGLUBackward: tanh %v, %q: ", tanh, where)
			differ(t, what+"dGate", gate, after["dGate"].f, loss)
			if where == "" {
				differ(t, what+"dUp", up, after["dUp"].f, loss)
			}
		}
	}
}

func ropeGradient(t T, b backend.Backend) {
	r := newRandom("RoPE gradient")
	for _, p := range []backend.Pairing{backend.Half, backend.Interleaved} {
		forward, backward := ropeCall(r, 4, 2, 8, p, false, false), ropeCall(r, 4, 2, 8, p, true, false)
		backward.operand("pos").i = forward.operand("pos").i
		dY := backward.operand("x").f
		after := backward.run(t, b, true, "")
		loss := func() float64 { return weighted(dY, forward.run(t, b, true, "")["y"].f) }
		differ(t, fmt.Sprintf("RoPE: pairing %d: inverse", p), forward.operand("x").f, after["y"].f, loss)
	}
}

func swigluGradient(t T, b backend.Backend) {
	r := newRandom("SwiGLU gradient")
	const n = 37
	forward, backward := swigluForward(r, n, ""), swigluBackward(r, n, "")
	gate, up := r.floats(n, 2), r.floats(n, 1)
	forward.with(map[string][]float32{"gate": gate, "up": up})
	backward.with(map[string][]float32{"gate": gate, "up": up})
	dY := backward.operand("dY").f
	after := backward.run(t, b, true, "")
	loss := func() float64 { return weighted(dY, forward.run(t, b, true, "")["y"].f) }
	differ(t, "SwiGLUBackward: dGate", gate, after["dGate"].f, loss)
	differ(t, "SwiGLUBackward: dUp", up, after["dUp"].f, loss)
}

// attentionGradient uses o and lse of the backend itself, as a model does.
func attentionGradient(t T, b backend.Backend) {
	r := newRandom("Attention gradient")
	s := layout{"packed", []backend.Segment{seg(0, 4, 0, 4), seg(4, 0, 4, 0), seg(4, 1, 4, 1), seg(5, 3, 5, 3)}, 8, 8, 0, false}
	for _, g := range [][4]int{{1, 1, 4, 0}, {4, 2, 2, 0}, {3, 1, 16, 0}, {2, 1, 4, 2}, {2, 1, 4, -1}, {2, 1, 4, -2}} {
		h, kh, d := g[0], g[1], g[2]
		s.window, s.full = max(0, g[3]), false
		if g[3] < 0 { // full attention, -2 with a window
			s.window, s.full = 2*(-1-g[3]), true
		}
		forward, backward := attentionForward(r, s, h, kh, d, 1, true), attentionBackward(r, s, h, kh, d)
		after := forward.run(t, b, true, "")
		q, k, v := forward.operand("q").f, forward.operand("k").f, forward.operand("v").f
		backward.with(map[string][]float32{"q": q, "k": k, "v": v, "o": after["o"].f, "lse": after["lse"].f})
		dO := backward.operand("dO").f
		got := backward.run(t, b, true, "")
		loss := func() float64 { return weighted(dO, forward.run(t, b, true, "")["o"].f) }
		what := fmt.Sprintf("AttentionBackward: %d over %d heads of %d, window %d, full %v: ", h, kh, d, s.window, s.full)
		differ(t, what+"dQ", q, got["dQ"].f, loss)
		differ(t, what+"dK", k, got["dK"].f, loss)
		differ(t, what+"dV", v, got["dV"].f, loss)
	}
}

func crossEntropyGradient(t T, b backend.Backend) {
	r := newRandom("LinearCrossEntropy gradient")
	const rows, c, v, scale = 5, 6, 11, 0.5
	full := crossEntropy(r, rows, c, v, 2, 1, true)
	got := full.run(t, b, true, "")
	weights := full.operand("weights").f
	loss := func() float64 {
		return scale * weighted(weights, full.run(t, b, true, "")["nll"].f)
	}
	differ(t, "LinearCrossEntropy: dX", full.operand("x").f, got["dX"].f, loss)
	differ(t, "LinearCrossEntropy: dW", full.operand("w").f, added(got["dW"].f, full.operand("dW").f), loss)
}
