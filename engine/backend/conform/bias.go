package conform

import (
	"fmt"

	"tunebook/engine/backend"
)

var biasChecks = []Check{
	{"AddBias/values", each(addBias)},
	{"SumRows/values", each(sumRows)},
}

func addBias(r random, t, c int) *call {
	return &call{op: "AddBias", what: fmt.Sprintf("T %d, C %d", t, c),
		x:  []operand{adds("y", r.floats(t*c, 1)), input("b", r.floats(c, 1))},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.AddBias(x["y"], x["b"], t, c) }}
}

func sumRows(r random, t, c int) *call {
	return &call{op: "SumRows", what: fmt.Sprintf("T %d, C %d", t, c),
		x:  []operand{adds("dB", r.floats(c, 1)), input("dY", r.floats(t*c, 1))},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.SumRows(x["dB"], x["dY"], t, c) }}
}
