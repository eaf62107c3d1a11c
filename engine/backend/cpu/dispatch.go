package cpu

// tileFunc is a micro-kernel of the matrix product; see the generated files for what tile and dot kernels compute.
type tileFunc = func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, alpha, beta float32, n int)

// expandFunc writes the numbers that rows of groups of codes stand for, ldd elements apart.
type expandFunc = func(dst *float32, ldd int, codes *int32, scales *float32, ld, groups, rows int)

// kernels is one implementation of everything that is vectorised. generic holds portable ones; on amd64 there are two
// more. The comments of generic.go and the generated declarations say what each does.
type kernels struct {
	name  string
	lanes int // float32 elements of a vector; a tile is two vectors wide
	rows  int // height of the largest tile

	heights []int         // heights of the tiles, largest first, ending with 1
	tiles   [][2]tileFunc // by heights: one vector wide with n ≤ lanes columns, two vectors wide
	dots    []tileFunc    // dots[m-1] multiplies m rows of a with n ≤ 4 rows of b

	transpose func(dst *float32, ldd int, src *float32, lds int, rows, blocks int)
	copyLanes func(dst *float32, ldd int, src *float32, lds int, n, rows int)

	// expands, by backend.Quant, write rows of whole groups of numbers; a row's codes begin ld groups after the last's.
	expands [5]expandFunc

	axpy       func(y, x *float32, alpha float32, n int)
	add        func(z, x, y *float32, n int)
	scale      func(y, x *float32, alpha float32, n int)
	dot        func(x, y *float32, n int) float32
	dot3       func(x, y, z *float32, n int) float32
	sumSquares func(x *float32, n int) float64

	normScale      func(y, x, w *float32, r float32, n int)
	normGrad       func(dx, dsum, dy, x, w *float32, r, c float32, n int)
	normWeightGrad func(dw, dy, x *float32, r float32, n int)
	rotate         func(y0, y1, x0, x1, cos, sin *float32, n int)
	rotatePairs    func(y, x, cos, sin *float32, sign float32, n int)
	siluMul        func(y, gate, up *float32, n int)
	siluMulGrad    func(dGate, dUp, dY, gate, up *float32, n int)
	adamw          func(p, m, v, grad, coef *float32, n int)

	maxRow      func(x *float32, n int) float32
	expRow      func(y, x *float32, sub float32, n int) float32
	maxColumns  func(m, s *float32, rows int)
	expColumns  func(l, s, m *float32, rows int)
	softmaxGrad func(s, dp, lse, delta *float32, scale float32, rows int)
}

// width returns the columns of a tile of two vectors.
func (k *kernels) width() int { return 2 * k.lanes }
