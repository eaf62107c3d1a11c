package conform

import (
	"fmt"

	"tunebook/engine/backend"
)

var scaleChecks = []Check{
	{"RowNorms/values", each(rowNorms)},
	{"ScaleColumnsForward/values", each(func(r random, rows, c int) *call { return scaleForward(r, rows, c, false) })},
	{"ScaleColumnsForward/in place", each(func(r random, rows, c int) *call { return scaleForward(r, rows, c, true) })},
	{"ScaleColumnsBackward/values", each(func(r random, rows, c int) *call { return scaleBackward(r, rows, c, false, true) })},
	{"ScaleColumnsBackward/in place", each(func(r random, rows, c int) *call { return scaleBackward(r, rows, c, true, true) })},
	{"ScaleColumnsBackward/no dM", each(func(r random, rows, c int) *call { return scaleBackward(r, rows, c, true, false) })},
}

func rowNorms(r random, rows, c int) *call {
	return &call{op: "RowNorms", what: fmt.Sprintf("%d rows of %d", rows, c), x: []operand{output("norms", rows), input("x", r.floats(rows*c, 1))},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.RowNorms(x["norms"], x["x"], rows, c) }}
}

// divisors are numbers that stay away from 0.
func (r random) divisors(n int) []float32 {
	x := r.floats(n, 1)
	for i, v := range x {
		x[i] = 0.5 + v*v
	}
	return x
}

func scaleForward(r random, rows, c int, inPlace bool) *call {
	x, y := input("x", r.floats(rows*c, 1)), output("y", rows*c)
	if inPlace {
		x.role, y = inout, aliased("y", "x")
	}
	return &call{op: "ScaleColumnsForward", what: fmt.Sprintf("%d rows of %d, y in x %v", rows, c, inPlace),
		x: []operand{x, y, input("m", r.floats(c, 1)), input("d", r.divisors(c))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.ScaleColumnsForward(x["y"], x["x"], x["m"], x["d"], rows, c)
		}}
}

func scaleBackward(r random, rows, c int, inPlace, withM bool) *call {
	dY, dX, dM := input("dY", r.floats(rows*c, 1)), output("dX", rows*c), adds("dM", r.floats(c, 1))
	if inPlace {
		dY.role, dX = inout, aliased("dX", "dY")
	}
	if !withM {
		dM = absent("dM")
	}
	return &call{op: "ScaleColumnsBackward", what: fmt.Sprintf("%d rows of %d, dX in dY %v, dM %v", rows, c, inPlace, withM),
		x: []operand{dY, dX, dM, input("x", r.floats(rows*c, 1)), input("m", r.floats(c, 1)), input("d", r.divisors(c))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.ScaleColumnsBackward(x["dX"], x["dM"], x["dY"], x["x"], x["m"], x["d"], rows, c)
		}}
}
