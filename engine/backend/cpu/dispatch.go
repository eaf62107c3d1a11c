package cpu

import (
	"math"

	"tunebook/engine/backend"
	"tunebook/engine/weights"
)

// tileFunc is a micro-kernel of the matrix product; see the generated files for what tile and dot kernels compute.
type tileFunc = func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, alpha, beta float32, n int)

// dotFunc is a micro-kernel for rows along k; see the generated files.
type dotFunc = func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, alpha, beta float32, n int, ahead *float32)

// expandFunc writes the numbers that rows of groups of codes stand for, ldd elements apart.
type expandFunc = func(dst *float32, ldd int, codes *int32, scales *float32, ld, groups, rows int)

// packedDotFunc writes c[j] = alpha·Σ a[p]·w[j,p] + beta·c[j].
type packedDotFunc = func(k int, a *float32, codes *int32, scales *float32, c *float32, alpha, beta float32, n int)

// kernels is one implementation of everything that is vectorised. generic holds portable ones; on amd64 there are two
// more. The comments of generic.go and the generated declarations say what each does.
type kernels struct {
	name  string
	lanes int // float32 elements of a vector; a tile is two vectors wide
	rows  int // height of the largest tile

	heights []int     // heights of the tiles, largest first, ending with 1
	columns int       // most rows of b of a dot kernel
	dots    []dotFunc // dots[m-1] multiplies m rows of a with n ≤ columns rows of b

	panels         // of float32
	bf16   *panels // of operands rounded to bf16

	// expands, by backend.Quant.Layout, write rows of whole groups of numbers; a row's codes begin ld groups after the last's.
	expands [backend.Layouts]expandFunc

	int8 *int8Kernels // products in whole numbers; nil where there are none

	// packedDots, by backend.Quant.Layout, multiply one row of a with n ≤ 4 rows of a packed weight of k numbers, whole groups.
	packedDots [backend.Layouts]packedDotFunc

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

// panels say how the operands of a product lie in panels, and what multiplies them. A panel consists of words of four bytes.
type panels struct {
	pair      int           // elements along k in a word: 1, or 2 of bf16
	tiles     [][2]tileFunc // by heights: one vector wide with n ≤ lanes columns, two vectors wide
	transpose func(dst *float32, ldd int, src *float32, lds int, rows, blocks int)
	copyLanes func(dst *float32, ldd int, src *float32, lds int, n, rows int)
	word      func(x []float32) float32 // makes one word from up to pair elements
}

// words returns the length along k of a panel of so many elements.
func (p *panels) words(depth int) int { return ceilDiv(depth, p.pair) }

// element is the word that holds one float32 as it is.
func element(x []float32) float32 { return x[0] }

// rounded is the word that holds one float32 rounded to bf16, to nearest with ties to even.
func rounded(x []float32) float32 { return weights.BFloat16(weights.ToBFloat16(x[0])) }

// roundedPair is the word that holds two elements in bf16, the first in the lower half, or one and zero.
func roundedPair(x []float32) float32 {
	w := uint32(weights.ToBFloat16(x[0]))
	if len(x) > 1 {
		w |= uint32(weights.ToBFloat16(x[1])) << 16
	}
	return math.Float32frombits(w)
}

// withBF16 returns kernels that round the operands of products to bf16. They are for products alone.
func (k *kernels) withBF16() *kernels {
	r := *k
	r.panels = *k.bf16
	return &r
}

// width returns the columns of a tile of two vectors.
func (k *kernels) width() int { return 2 * k.lanes }
