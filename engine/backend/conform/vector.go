package conform

import (
	"fmt"

	"tunebook/engine/backend"
)

var vectorChecks = []Check{
	{"Fill/values", lengths(fill)}, {"Copy/values", lengths(copied)}, {"AddScaled/values", lengths(addScaled)},
	{"SumSquares/values", lengths(sumSquares)}, {"AdamW/values", lengths(func(r random, n int) *call { return adamw(r, n, 3) })},
	{"AdamW/first step", lengths(func(r random, n int) *call { return adamw(r, n, 1) })},
	{"AdamW/late step", lengths(func(r random, n int) *call { return adamw(r, n, 100000) })},
}

func lengths(make func(r random, n int) *call) func(T, backend.Backend) {
	return func(t T, b backend.Backend) {
		r := newRandom("vector")
		for _, n := range []int{0, 1, 7, 31, 33, 576, 577, 9001} {
			make(r, n).verify(t, b)
		}
	}
}

func fill(r random, n int) *call {
	return &call{op: "Fill", what: fmt.Sprintf("n %d", n), x: []operand{output("x", n)},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.Fill(x["x"], -1.5) }}
}

func copied(r random, n int) *call {
	return &call{op: "Copy", what: fmt.Sprintf("n %d", n), x: []operand{output("dst", n), input("src", r.floats(n, 1))},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.Copy(x["dst"], x["src"]) }}
}

func addScaled(r random, n int) *call {
	return &call{op: "AddScaled", what: fmt.Sprintf("n %d", n), x: []operand{adds("y", r.floats(n, 1)), input("x", r.floats(n, 1))},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.AddScaled(x["y"], x["x"], -0.3) }}
}

func sumSquares(r random, n int) *call {
	return &call{op: "SumSquares", what: fmt.Sprintf("n %d", n), x: []operand{output("out", 1), table(input("x", r.floats(n, 1)))},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.SumSquares(x["out"], x["x"]) }}
}

func adamw(r random, n, step int) *call {
	m, v, g := r.floats(n, 0.1), r.floats(n, 0.1), r.floats(n, 1)
	for i := range v {
		v[i] *= v[i]
		switch {
		case step == 1:
			m[i], v[i] = 0, 0
		case i%5 == 1: // a parameter that never had a gradient
			m[i], v[i], g[i] = 0, 0, 0
		}
	}
	s := backend.AdamWStep{LR: 0.01, Beta1: 0.9, Beta2: 0.99, Eps: 1e-3, WeightDecay: 0.5, GradScale: 0.25, Step: step}
	return &call{op: "AdamW", what: fmt.Sprintf("n %d, step %d", n, step),
		x:  []operand{adds("p", r.floats(n, 1)), adds("m", m), adds("v", v), input("g", g)},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.AdamW(x["p"], x["m"], x["v"], x["g"], s) }}
}
