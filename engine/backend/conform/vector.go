package conform

import (
	"fmt"

	"tunebook/engine/backend"
)

var vectorChecks = []Check{
	{"Fill/values", lengths(fill)}, {"Copy/values", lengths(copied)}, {"AddScaled/values", lengths(addScaled)},
	{"SumSquares/values", lengths(func(r random, n int) *call { return sumSquares(r, n) })},
	{"SumSquares/many", func(t T, b backend.Backend) {
		r := newRandom("SumSquares/many")
		sumSquares(r, 577, 0, 9001, 1, 33).verify(t, b)
		sumSquares(r).verify(t, b)
	}},
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

func sumSquares(r random, lengths ...int) *call {
	c := &call{op: "SumSquares", what: fmt.Sprintf("n %d", lengths), x: []operand{output("out", len(lengths))}}
	for i, n := range lengths {
		c.x = append(c.x, table(input(fmt.Sprint("x", i), r.floats(n, 1))))
	}
	c.do = func(b backend.Backend, x map[string]backend.Buffer) {
		var xs []backend.Buffer
		for i := range lengths {
			xs = append(xs, x[fmt.Sprint("x", i)])
		}
		b.SumSquares(x["out"], xs)
	}
	return c
}
