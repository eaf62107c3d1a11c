package conform

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

var matmulChecks = []Check{{"MatMul/values", func(t T, b backend.Backend) {
	for _, c := range matmulCalls() {
		c.verify(t, b)
	}
}}, {"MatMul/sums", func(t T, b backend.Backend) { // an adapter's part in the pass of the base product, where a device has one
	if _, ok := b.(backend.Summing); !ok {
		return
	}
	r := newRandom("MatMul/sums")
	for i, s := range [][4]int{ // m, n, k, and k of what is added
		{35, 40, 64, 16}, {67, 259, 300, 16}, {130, 33, 577, 1}, {64, 64, 64, 64}, {300, 70, 1300, 8}, {41, 1100, 96, 33}, {40, 40, 64, 200},
		{1, 64, 64, 16}, {64, 16, 64, 16}, {40, 40, 0, 16}, {40, 40, 64, 0}, {0, 40, 64, 16},
	} {
		for _, op := range []backend.MatOp{backend.NT, backend.NN} {
			beta := []float32{0, 1, -2}[i%3]
			matmulSum(r, s[0], s[1], s[2], s[3], op, nil, beta)(t, b)
			for _, q := range backend.Quants {
				matmulSum(r, s[0], s[1], s[2], s[3], op, &q, beta)(t, b)
			}
		}
	}
}}}

// matmulSum holds a sum of two products to the bits of two products.
func matmulSum(r random, m, n, k, k2 int, op backend.MatOp, q *backend.Quant, beta float32) func(T, backend.Backend) {
	c := adds("c", r.floats(m*n, 1))
	if beta == 0 {
		c = output("c", m*n)
	}
	x := []operand{c, input("a", r.floats(m*k, 1)), input("b", r.floats(n*k, 1)), input("a2", r.floats(m*k2, 1)), input("b2", r.floats(n*k2, 1))}
	what := fmt.Sprintf("%s %d×%d×%d + %d, beta %v", opNames[op], m, n, k, k2, beta)
	if q != nil {
		codes, scales := r.codes(n*k, *q)
		x = append(x, codes, scales)
		what += ", " + q.String()
	}
	return func(t T, b backend.Backend) {
		run := func(multiply func(c backend.Buffer, first, second backend.Term)) []uint32 {
			c := &call{op: "MatMulSum", what: what, x: append([]operand{}, x...), do: func(b backend.Backend, x map[string]backend.Buffer) {
				first := backend.Term{A: x["a"], B: x["b"], K: k, Op: op, Alpha: 0.5}
				if q != nil {
					first.Packed = &backend.Packed{Codes: x["codes"], Scales: x["scales"], Quant: *q}
				}
				multiply(x["c"], first, backend.Term{A: x["a2"], B: x["b2"], K: k2, Op: op, Alpha: -2})
			}}
			result := c.run(t, b, true, "")["c"]
			return result.bits()
		}
		got := run(func(c backend.Buffer, first, second backend.Term) { backend.MatMulSum(b, c, first, second, m, n, beta) })
		want := run(func(c backend.Buffer, first, second backend.Term) {
			first.Into(b, c, m, n, beta)
			second.Into(b, c, m, n, 1)
		})
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("MatMulSum %s: element %d is %v; two products make it %v", what, i, math.Float32frombits(got[i]), math.Float32frombits(want[i]))
				break
			}
		}
	}
}

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
