package conform

import (
	"fmt"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
)

var rmsnormChecks = []Check{
	{"RMSNormForward/values", each(func(r random, t, c int) *call { return rmsnormForward(r, t, c, "none") })},
	{"RMSNormForward/residual", each(func(r random, t, c int) *call { return rmsnormForward(r, t, c, "apart") })},
	{"RMSNormForward/sum in x", each(func(r random, t, c int) *call { return rmsnormForward(r, t, c, "x") })},
	{"RMSNormForward/sum in res", each(func(r random, t, c int) *call { return rmsnormForward(r, t, c, "res") })},
	{"RMSNormBackward/values", each(func(r random, t, c int) *call { return rmsnormBackward(r, t, c, "apart", true) })},
	{"RMSNormBackward/dX in dSum", each(func(r random, t, c int) *call { return rmsnormBackward(r, t, c, "dSum", true) })},
	{"RMSNormBackward/no dSum", each(func(r random, t, c int) *call { return rmsnormBackward(r, t, c, "none", true) })},
	{"RMSNormBackward/no dW", each(func(r random, t, c int) *call { return rmsnormBackward(r, t, c, "apart", false) })},
}

// rmsnormForward: residual is "none", or where the sum lies: "apart", "x", "res".
func rmsnormForward(r random, t, c int, residual string) *call {
	const eps = 0.01 // large enough to show when it is left out
	sum, res := output("sum", t*c), input("res", r.floats(t*c, 1))
	switch residual {
	case "none":
		sum, res = absent("sum"), absent("res")
	case "x", "res":
		sum = aliased("sum", residual)
	}
	x, w := input("x", r.floats(t*c, 1)), input("w", r.floats(c, 1))
	if residual == "x" {
		x.role = inout
	}
	if residual == "res" {
		res.role = inout
	}
	return &call{op: "RMSNormForward", what: fmt.Sprintf("T %d, C %d, sum %s", t, c, residual),
		x: []operand{x, res, w, output("y", t*c), sum, output("rstd", t)},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.RMSNormForward(x["y"], x["sum"], x["rstd"], x["x"], x["res"], x["w"], t, c, eps)
		}}
}

// rmsnormBackward: sum is "none", or where dX lies: "apart", "dSum".
func rmsnormBackward(r random, t, c int, sum string, withW bool) *call {
	forward := rmsnormForward(r, t, c, "none")
	rstd := forward.run(&Recorder{}, ref.New(), false, "")["rstd"].f
	dX, dSum, dW := output("dX", t*c), input("dSum", r.floats(t*c, 1)), adds("dW", r.floats(c, 1))
	switch sum {
	case "none":
		dSum = absent("dSum")
	case "dSum":
		dX = aliased("dX", "dSum")
		dSum.role = inout
	}
	if !withW {
		dW = absent("dW")
	}
	return &call{op: "RMSNormBackward", what: fmt.Sprintf("T %d, C %d, dX %s, dW %v", t, c, sum, withW),
		x: []operand{dSum, dX, dW, input("dY", r.floats(t*c, 1)), input("x", forward.operand("x").f), input("w", forward.operand("w").f), input("rstd", rstd)},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.RMSNormBackward(x["dX"], x["dW"], x["dY"], x["dSum"], x["x"], x["w"], x["rstd"], t, c)
		}}
}
