package conform

import (
	"fmt"

	"tunebook/engine/backend"
)

var gegluChecks = []Check{
	{"GeGLUForward/values", geglus(gegluForward, "", "no up", "gate", "up")},
	{"GeGLUBackward/values", geglus(gegluBackward, "", "no up", "own", "dGate in dY", "dUp in dY")},
}

func geglus(make func(r random, n int, where string, tanh bool) *call, places ...string) func(T, backend.Backend) {
	return func(t T, b backend.Backend) {
		r := newRandom("GeGLU")
		for _, n := range []int{0, 1, 7, 31, 33, 576, 577, 7 * 577} {
			for _, where := range places {
				make(r, n, where, false).verify(t, b)
				make(r, n, where, true).verify(t, b)
			}
		}
	}
}

// gegluForward: where says in which operand y lies, empty for one of its own, or that there is no up.
func gegluForward(r random, n int, where string, tanh bool) *call {
	gate, up, y := input("gate", r.gates(n)), input("up", r.floats(n, 1)), output("y", n)
	switch where {
	case "no up":
		up = absent("up")
	case "gate":
		gate.role, y = inout, aliased("y", "gate")
	case "up":
		up.role, y = inout, aliased("y", "up")
	}
	return &call{op: "GeGLUForward", what: fmt.Sprintf("n %d, tanh %v, y in %q", n, tanh, where), x: []operand{gate, up, y},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.GeGLUForward(x["y"], x["gate"], x["up"], n, tanh)
		}}
}

func gegluBackward(r random, n int, where string, tanh bool) *call {
	gate, up, dY := input("gate", r.gates(n)), input("up", r.floats(n, 1)), input("dY", r.floats(n, 1))
	dGate, dUp := output("dGate", n), output("dUp", n)
	switch where {
	case "no up":
		up, dUp = absent("up"), absent("dUp")
	case "own":
		gate.role, up.role, dGate, dUp = inout, inout, aliased("dGate", "gate"), aliased("dUp", "up")
	case "dGate in dY":
		dY.role, dGate = inout, aliased("dGate", "dY")
	case "dUp in dY":
		dY.role, dUp = inout, aliased("dUp", "dY")
	}
	return &call{op: "GeGLUBackward", what: fmt.Sprintf("n %d, tanh %v, %q", n, tanh, where), x: []operand{gate, up, dY, dGate, dUp},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.GeGLUBackward(x["dGate"], x["dUp"], x["dY"], x["gate"], x["up"], n, tanh)
		}}
}
