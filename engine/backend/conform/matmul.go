package conform

import (
	"fmt"

	"tunebook/engine/backend"
)

var matmulChecks = []Check{{"MatMul/values", func(t T, b backend.Backend) {
	for _, c := range matmulCalls() {
		c.verify(t, b)
	}
}}}

var opNames = map[backend.MatOp]string{backend.NT: "NT", backend.NN: "NN", backend.TN: "TN"}

func matmulCalls() []*call {
	var calls []*call
	r := newRandom("MatMul")
	odd := []int{1, 31, 33, 576, 577}
	factors := [][2]float32{{1, 0}, {1, 1}, {0.5, -2}, {0, 0.5}}
	add := func(m, n, k int) {
		for _, op := range []backend.MatOp{backend.NT, backend.NN, backend.TN} {
			f := factors[len(calls)%len(factors)]
			calls = append(calls, matmulCall(r, m, n, k, op, f[0], f[1]))
		}
	}
	for _, m := range []int{1, 7} {
		for _, n := range odd {
			for _, k := range odd {
				add(m, n, k)
			}
		}
	}
	for range 20 {
		add(1+r.Intn(70), 1+r.Intn(70), 1+r.Intn(140))
	}
	add(67, 259, 300) // more than one block of any of the three
	add(259, 67, 33)
	for _, f := range factors { // no rows, no columns, an empty sum
		for _, op := range []backend.MatOp{backend.NT, backend.NN, backend.TN} {
			calls = append(calls, matmulCall(r, 0, 5, 3, op, f[0], f[1]), matmulCall(r, 5, 0, 3, op, f[0], f[1]),
				matmulCall(r, 3, 5, 0, op, f[0], f[1]))
		}
	}
	return calls
}

func matmulCall(r random, m, n, k int, op backend.MatOp, alpha, beta float32) *call {
	c := adds("c", r.floats(m*n, 1))
	if beta == 0 {
		c = output("c", m*n)
	}
	return &call{
		op: "MatMul", what: fmt.Sprintf("%s %d×%d×%d, alpha %v, beta %v", opNames[op], m, n, k, alpha, beta),
		x: []operand{c, input("a", r.floats(m*k, 1)), input("b", r.floats(n*k, 1))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.MatMul(x["c"], x["a"], x["b"], m, n, k, op, alpha, beta)
		},
	}
}
