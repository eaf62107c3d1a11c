package ref

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

// Dequantize writes y[i] = scale of its block · level of its code.
func (*Backend) Dequantize(y, codes, scales backend.Buffer, n int, q backend.Quant) {
	copy(floats("Dequantize", "y", y, n), unpack("Dequantize", codes, scales, n, q))
}

// unpack returns the numbers that n codes stand for.
func unpack(op string, codes, scales backend.Buffer, n int, q backend.Quant) []float32 {
	cs, ss := ints(op, "codes", codes, q.Codes(n)), floats(op, "scales", scales, q.Scales(n))
	x := make([]float32, n)
	for i := range x {
		word := uint32(cs[i/q.PerWord()]) >> (i % q.PerWord() * (32 / q.PerWord()))
		switch q.Layout() {
		case backend.Q8_0:
			x[i] = ss[i/q.Block()] * float32(int8(word))
		case backend.BF16:
			x[i] = math.Float32frombits(word << 16)
		default:
			x[i] = ss[i/q.Block()] * q.Levels()[word&15]
		}
	}
	return x
}

// MatMulPacked writes C = alpha·op(A, B) + beta·C for a B of codes and scales.
func (*Backend) MatMulPacked(c, a, codes, scales backend.Buffer, m, n, k int, op backend.MatOp, q backend.Quant, alpha, beta float32) {
	const name = "MatMulPacked"
	if op != backend.NT && op != backend.NN {
		panic(fmt.Sprintf("%s: op %d; wanted NT or NN", name, op))
	}
	cs, as, bs := floats(name, "c", c, m*n), floats(name, "a", a, m*k), unpack(name, codes, scales, n*k, q)
	if q.Rounds() && op == backend.NT {
		as = rounded(as, m, k)
	}
	product(cs, as, bs, m, n, k, op, alpha, beta)
}

// rounded returns the rows of a with every block of 32 elements rounded.
func rounded(a []float32, m, k int) []float32 {
	out := make([]float32, m*k)
	var codes [32]int8
	for i := range m {
		for at := 0; at < k; at += len(codes) {
			x := a[i*k+at : i*k+min(at+len(codes), k)]
			scale := backend.RoundInt8(codes[:], x)
			for j := range x {
				out[i*k+at+j] = scale * float32(codes[j])
			}
		}
	}
	return out
}

// EmbeddingPacked writes y[t,:] = W[ids[t],:] for a W of codes and scales.
func (*Backend) EmbeddingPacked(y, codes, scales, ids backend.Buffer, t, c, v int, q backend.Quant) {
	const op = "EmbeddingPacked"
	ys, id, w := floats(op, "y", y, t*c), ints(op, "ids", ids, t), unpack(op, codes, scales, v*c, q)
	for i := range t {
		row := index(op, "id", id[i], v)
		copy(ys[i*c:(i+1)*c], w[row*c:(row+1)*c])
	}
}
