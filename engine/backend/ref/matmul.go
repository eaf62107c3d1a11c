package ref

import (
	"fmt"

	"tunebook/engine/backend"
)

// MatMul writes C = alpha·op(A, B) + beta·C.
func (*Backend) MatMul(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
	cs, as, bs := floats("MatMul", "c", c, m*n), floats("MatMul", "a", a, m*k), floats("MatMul", "b", b, n*k)
	product(cs, as, bs, m, n, k, op, alpha, beta)
}

func product(cs, as, bs []float32, m, n, k int, op backend.MatOp, alpha, beta float32) {
	// The product is Σ_l A[i,l]·B[l,j]; A[i,l] lies at i·ai + l·al, B[l,j] at l·bl + j·bj.
	var ai, al, bl, bj int
	switch op {
	case backend.NT: // A (M, K)  B (N, K)
		ai, al, bl, bj = k, 1, 1, k
	case backend.NN: // A (M, K)  B (K, N)
		ai, al, bl, bj = k, 1, n, 1
	case backend.TN: // A (K, M)  B (K, N)
		ai, al, bl, bj = 1, m, n, 1
	default:
		panic(fmt.Sprintf("MatMul: op %d; wanted NT, NN or TN", op))
	}
	for i := range m {
		for j := range n {
			var sum float64
			for l := range k {
				sum += float64(as[i*ai+l*al]) * float64(bs[l*bl+j*bj])
			}
			y := float64(alpha) * sum
			if beta != 0 { // with beta 0 the old C may be NaN
				y += float64(beta) * float64(cs[i*n+j])
			}
			cs[i*n+j] = float32(y)
		}
	}
}
