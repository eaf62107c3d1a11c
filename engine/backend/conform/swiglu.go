package conform

import (
	"fmt"

	"tunebook/engine/backend"
)

var swigluChecks = []Check{
	{"SwiGLUForward/values", swiglus(swigluForward, "", "gate", "up")},
	{"SwiGLUBackward/values", swiglus(swigluBackward, "", "own", "dGate in dY", "dUp in dY")},
}

func swiglus(make func(r random, n int, where string) *call, places ...string) func(T, backend.Backend) {
	return func(t T, b backend.Backend) {
		r := newRandom("SwiGLU")
		for _, n := range []int{0, 1, 7, 31, 33, 576, 577, 7 * 577} {
			for _, where := range places {
				make(r, n, where).verify(t, b)
			}
		}
	}
}

// gates returns normal numbers with the ends of the sigmoid among them.
func (r random) gates(n int) []float32 {
	x := r.floats(n, 2)
	for i, v := range []float32{0, -100, 100, -30, 20, -1e-8} {
		if i+1 < n {
			x[i+1] = v
		}
	}
	return x
}

// swigluForward: where says in which operand y lies; empty for one of its own.
func swigluForward(r random, n int, where string) *call {
	gate, up, y := input("gate", r.gates(n)), input("up", r.floats(n, 1)), output("y", n)
	switch where {
	case "gate":
		gate.role, y = inout, aliased("y", "gate")
	case "up":
		up.role, y = inout, aliased("y", "up")
	}
	return &call{op: "SwiGLUForward", what: fmt.Sprintf("n %d, y in %q", n, where), x: []operand{gate, up, y},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.SwiGLUForward(x["y"], x["gate"], x["up"], n)
		}}
}

func swigluBackward(r random, n int, where string) *call {
	gate, up, dY := input("gate", r.gates(n)), input("up", r.floats(n, 1)), input("dY", r.floats(n, 1))
	dGate, dUp := output("dGate", n), output("dUp", n)
	switch where {
	case "own":
		gate.role, up.role, dGate, dUp = inout, inout, aliased("dGate", "gate"), aliased("dUp", "up")
	case "dGate in dY":
		dY.role, dGate = inout, aliased("dGate", "dY")
	case "dUp in dY":
		dY.role, dUp = inout, aliased("dUp", "dY")
	}
	return &call{op: "SwiGLUBackward", what: fmt.Sprintf("n %d, %q", n, where), x: []operand{gate, up, dY, dGate, dUp},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.SwiGLUBackward(x["dGate"], x["dUp"], x["dY"], x["gate"], x["up"], n)
		}}
}
