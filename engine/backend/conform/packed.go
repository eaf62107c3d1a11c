package conform

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

var packedChecks = []Check{
	{"Dequantize/values", func(t T, b backend.Backend) {
		r := newRandom("Dequantize")
		for _, q := range backend.Quants {
			for _, n := range []int{0, 1, 31, 32, 33, 64, 65, 127, 577, 7 * 577, 40000} {
				dequantize(r, n, q).verify(t, b)
			}
		}
	}},
	{"MatMulPacked/values", func(t T, b backend.Backend) {
		r := newRandom("MatMulPacked")
		for _, q := range backend.Quants {
			for i, s := range [][3]int{ // m, n, k
				{1, 576, 192}, {1, 33, 577}, {2, 5, 64}, {3, 31, 128}, {5, 100, 96}, {7, 1, 320}, {33, 64, 64}, {40, 67, 192}, {67, 259, 320},
				{70, 130, 33}, {35, 96, 1}, {0, 5, 64}, {5, 0, 64}, {3, 5, 0},
			} {
				f := [][2]float32{{1, 0}, {1, 1}, {0.5, -2}}[i%3]
				matmulPacked(r, s[0], s[1], s[2], backend.NT, q, f[0], f[1]).verify(t, b)
				matmulPacked(r, s[0], s[1], s[2], backend.NN, q, f[0], f[1]).verify(t, b)
			}
		}
	}},
	{"EmbeddingPacked/values", func(t T, b backend.Backend) {
		r := newRandom("EmbeddingPacked")
		for _, q := range backend.Quants {
			for _, rows := range []int{0, 1, 7, 40} {
				for _, c := range []int{1, 31, 64, 577} {
					embeddingPacked(r, rows, c, 13, q).verify(t, b)
				}
			}
			embeddingPacked(r, 3, 33, 400, q).verify(t, b) // a few rows of a table
			embeddingPacked(r, 2, 96, 1, q).verify(t, b)
		}
	}},
	{"MatMulPacked/no number", func(t T, b backend.Backend) { // a rounded block must not hide what is not finite
		for _, odd := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for _, m := range []int{1, 40} {
				for _, q := range []backend.Quant{backend.Int8, backend.Int4} {
					r := newRandom("MatMulPacked/no number")
					c := matmulPacked(r, m, 64, 64, backend.NT, q, 1, 0)
					c.x[1].f[33] = odd
					got := c.run(t, b, true, "")["c"].f
					for j := range 64 {
						if v := got[j]; v == v {
							t.Errorf("MatMulPacked %s: a row that holds %v gives %v in column %d; wanted NaN", q, odd, v, j)
							break
						}
					}
					for j, v := range got[64:] {
						if v != v {
							t.Errorf("MatMulPacked %s: a row without NaN gives one in element %d", q, 64+j)
							break
						}
					}
				}
			}
		}
	}},
}

// codes returns random codes and scales of n elements.
func (r random) codes(n int, q backend.Quant) (codes, scales operand) {
	x := make([]int32, q.Codes(n))
	for i := range x {
		x[i] = int32(r.Uint64())
		if q == backend.BF16 { // any bits would be a number now and then that is none
			two := r.floats(2, 1)
			x[i] = int32(math.Float32bits(two[0])>>16 | math.Float32bits(two[1])&^0xffff)
		}
	}
	return indices("codes", x), input("scales", r.floats(q.Scales(n), 1))
}

func dequantize(r random, n int, q backend.Quant) *call {
	codes, scales := r.codes(n, q)
	return &call{op: "Dequantize", what: fmt.Sprintf("%d of %s", n, q),
		x: []operand{output("y", n), codes, scales},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.Dequantize(x["y"], x["codes"], x["scales"], n, q)
		}}
}

func matmulPacked(r random, m, n, k int, op backend.MatOp, q backend.Quant, alpha, beta float32) *call {
	c := adds("c", r.floats(m*n, 1))
	if beta == 0 {
		c = output("c", m*n)
	}
	codes, scales := r.codes(n*k, q)
	return &call{op: "MatMulPacked", what: fmt.Sprintf("%s %s %d×%d×%d, alpha %v, beta %v", opNames[op], q, m, n, k, alpha, beta),
		x: []operand{c, input("a", r.floats(m*k, 1)), codes, scales},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.MatMulPacked(x["c"], x["a"], x["codes"], x["scales"], m, n, k, op, q, alpha, beta)
		}}
}

func embeddingPacked(r random, t, c, v int, q backend.Quant) *call {
	codes, scales := r.codes(v*c, q)
	return &call{op: "EmbeddingPacked", what: fmt.Sprintf("T %d, C %d, V %d, %s", t, c, v, q),
		x: []operand{output("y", t*c), codes, scales, indices("ids", r.ids(t, v))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.EmbeddingPacked(x["y"], x["codes"], x["scales"], x["ids"], t, c, v, q)
		}}
}
