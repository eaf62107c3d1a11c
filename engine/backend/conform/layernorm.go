package conform

import (
	"fmt"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
)

var layernormChecks = []Check{
	{"LayerNormForward/values", each(func(r random, t, c int) *call { return layernormForward(r, t, c, "none") })},
	{"LayerNormForward/residual", each(func(r random, t, c int) *call { return layernormForward(r, t, c, "apart") })},
	{"LayerNormForward/sum in x", each(func(r random, t, c int) *call { return layernormForward(r, t, c, "x") })},
	{"LayerNormForward/sum in res", each(func(r random, t, c int) *call { return layernormForward(r, t, c, "res") })},
	{"LayerNormForward/large mean", each(func(r random, t, c int) *call {
		forward := layernormForward(r, t, c, "none")
		for i := range forward.operand("x").f {
			forward.operand("x").f[i] += 30
		}
		return forward
	})},
	{"LayerNormBackward/values", eachBackward("apart", true)},
	{"LayerNormBackward/dX in dSum", eachBackward("dSum", true)},
	{"LayerNormBackward/no dSum", eachBackward("none", true)},
	{"LayerNormBackward/no dW, no dB", eachBackward("apart", false)},
}

// eachBackward is each with rows of 3 in place of 1: rows of one element have no gradient but rounding.
func eachBackward(sum string, withParams bool) func(T, backend.Backend) {
	return each(func(r random, t, c int) *call { return layernormBackward(r, t, max(c, 3), sum, withParams) })
}

// layernormForward: residual is "none", or where the sum lies: "apart", "x", "res".
func layernormForward(r random, t, c int, residual string) *call {
	const eps = 0.01 // large enough to show when it is left out
	x, res, w, bias := input("x", r.floats(t*c, 1)), input("res", r.floats(t*c, 1)), input("w", r.floats(c, 1)), input("b", r.floats(c, 1))
	sum := output("sum", t*c)
	switch residual {
	case "none":
		sum, res = absent("sum"), absent("res")
	case "x":
		sum, x.role = aliased("sum", "x"), inout
	case "res":
		sum, res.role = aliased("sum", "res"), inout
	}
	return &call{op: "LayerNormForward", what: fmt.Sprintf("T %d, C %d, sum %s", t, c, residual),
		x: []operand{x, res, w, bias, output("y", t*c), sum, output("mean", t), output("rstd", t)},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.LayerNormForward(x["y"], x["sum"], x["mean"], x["rstd"], x["x"], x["res"], x["w"], x["b"], t, c, eps)
		}}
}

// layernormBackward: sum is "none", or where dX lies: "apart", "dSum".
func layernormBackward(r random, t, c int, sum string, withParams bool) *call {
	forward := layernormForward(r, t, c, "none")
	after := forward.run(&Recorder{}, ref.New(), false, "")
	dX, dSum, dW, dB := output("dX", t*c), input("dSum", r.floats(t*c, 1)), adds("dW", r.floats(c, 1)), adds("dB", r.floats(c, 1))
	switch sum {
	case "none":
		dSum = absent("dSum")
	case "dSum":
		dX, dSum.role = aliased("dX", "dSum"), inout
	}
	if !withParams {
		dW, dB = absent("dW"), absent("dB")
	}
	return &call{op: "LayerNormBackward", what: fmt.Sprintf("T %d, C %d, dX %s, dW and dB %v", t, c, sum, withParams),
		x: []operand{dSum, dX, dW, dB, input("dY", r.floats(t*c, 1)), input("x", forward.operand("x").f), input("w", forward.operand("w").f),
			input("mean", after["mean"].f), input("rstd", after["rstd"].f)},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.LayerNormBackward(x["dX"], x["dW"], x["dB"], x["dY"], x["dSum"], x["x"], x["w"], x["mean"], x["rstd"], t, c)
		}}
}
