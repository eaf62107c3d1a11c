package conform

import (
	"reflect"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// mutant is ref with one operation replaced. Every method that is nil is ref's own.
type mutant struct {
	*ref.Backend
	matmul       func(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32)
	embForward   func(y, w, ids backend.Buffer, t, c int)
	embBackward  func(dW, dY, ids backend.Buffer, t, c int)
	normForward  func(y, sum, rstd, x, res, w backend.Buffer, t, c int, eps float32)
	normBackward func(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int)
	lnForward    func(y, sum, mean, rstd, x, res, w, b backend.Buffer, t, c int, eps float32)
	lnBackward   func(dX, dW, dB, dY, dSum, x, w, mean, rstd backend.Buffer, t, c int)
	addBias      func(y, b backend.Buffer, t, c int)
	sumRows      func(dB, dY backend.Buffer, t, c int)
	geForward    func(y, gate, up backend.Buffer, n int, tanh bool)
	geBackward   func(dGate, dUp, dY, gate, up backend.Buffer, n int, tanh bool)
	norms        func(norms, x backend.Buffer, t, c int)
	scForward    func(y, x, m, d backend.Buffer, t, c int)
	scBackward   func(dX, dM, dY, x, m, d backend.Buffer, t, c int)
	dequant      func(y, codes, scales backend.Buffer, n int, q backend.Quant)
	packed       func(c, a, codes, scales backend.Buffer, m, n, k int, op backend.MatOp, q backend.Quant, alpha, beta float32)
	embPacked    func(y, codes, scales, ids backend.Buffer, t, c, v int, q backend.Quant)
	rope         func(y, x, pos, freqs backend.Buffer, t, heads, d int, p backend.Pairing, inverse bool)
	gluForward   func(y, gate, up backend.Buffer, n int)
	gluBackward  func(dGate, dUp, dY, gate, up backend.Buffer, n int)
	attForward   func(o, lse, q, k, v backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32)
	attBackward  func(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32)
	entropy      func(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32)
	gather       func(y, x, rows backend.Buffer, n, c int)
	scatter      func(y, x, rows backend.Buffer, n, c int)
	addScaled    func(y, x backend.Buffer, alpha float32)
	copy         func(dst, src backend.Buffer)
	fill         func(x backend.Buffer, v float32)
	sample       func(ids, x backend.Buffer, draws []backend.Draw, v int)
	crossEntropy func(nll, x, ids backend.Buffer, t, v int)
	sumSquares   func(out backend.Buffer, xs []backend.Buffer)
	adamw        func(tensors []backend.AdamWTensor, s backend.AdamWStep)
	alloc        func(dt tensor.DType, n int) backend.Buffer
}

func (m *mutant) MatMul(c, a, b backend.Buffer, mm, n, k int, op backend.MatOp, alpha, beta float32) {
	either(m.matmul, m.Backend.MatMul)(c, a, b, mm, n, k, op, alpha, beta)
}
func (m *mutant) EmbeddingForward(y, w, ids backend.Buffer, t, c int) {
	either(m.embForward, m.Backend.EmbeddingForward)(y, w, ids, t, c)
}
func (m *mutant) EmbeddingBackward(dW, dY, ids backend.Buffer, t, c int) {
	either(m.embBackward, m.Backend.EmbeddingBackward)(dW, dY, ids, t, c)
}
func (m *mutant) RMSNormForward(y, sum, rstd, x, res, w backend.Buffer, t, c int, eps float32) {
	either(m.normForward, m.Backend.RMSNormForward)(y, sum, rstd, x, res, w, t, c, eps)
}
func (m *mutant) RMSNormBackward(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
	either(m.normBackward, m.Backend.RMSNormBackward)(dX, dW, dY, dSum, x, w, rstd, t, c)
}
func (m *mutant) LayerNormForward(y, sum, mean, rstd, x, res, w, b backend.Buffer, t, c int, eps float32) {
	either(m.lnForward, m.Backend.LayerNormForward)(y, sum, mean, rstd, x, res, w, b, t, c, eps)
}
func (m *mutant) LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd backend.Buffer, t, c int) {
	either(m.lnBackward, m.Backend.LayerNormBackward)(dX, dW, dB, dY, dSum, x, w, mean, rstd, t, c)
}
func (m *mutant) AddBias(y, b backend.Buffer, t, c int) {
	either(m.addBias, m.Backend.AddBias)(y, b, t, c)
}
func (m *mutant) SumRows(dB, dY backend.Buffer, t, c int) {
	either(m.sumRows, m.Backend.SumRows)(dB, dY, t, c)
}
func (m *mutant) GeGLUForward(y, gate, up backend.Buffer, n int, tanh bool) {
	either(m.geForward, m.Backend.GeGLUForward)(y, gate, up, n, tanh)
}
func (m *mutant) GeGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int, tanh bool) {
	either(m.geBackward, m.Backend.GeGLUBackward)(dGate, dUp, dY, gate, up, n, tanh)
}
func (m *mutant) RowNorms(norms, x backend.Buffer, t, c int) {
	either(m.norms, m.Backend.RowNorms)(norms, x, t, c)
}
func (m *mutant) ScaleColumnsForward(y, x, mm, d backend.Buffer, t, c int) {
	either(m.scForward, m.Backend.ScaleColumnsForward)(y, x, mm, d, t, c)
}
func (m *mutant) ScaleColumnsBackward(dX, dM, dY, x, mm, d backend.Buffer, t, c int) {
	either(m.scBackward, m.Backend.ScaleColumnsBackward)(dX, dM, dY, x, mm, d, t, c)
}
func (m *mutant) Dequantize(y, codes, scales backend.Buffer, n int, q backend.Quant) {
	either(m.dequant, m.Backend.Dequantize)(y, codes, scales, n, q)
}
func (m *mutant) MatMulPacked(c, a, codes, scales backend.Buffer, mm, n, k int, op backend.MatOp, q backend.Quant, alpha, beta float32) {
	either(m.packed, m.Backend.MatMulPacked)(c, a, codes, scales, mm, n, k, op, q, alpha, beta)
}
func (m *mutant) EmbeddingPacked(y, codes, scales, ids backend.Buffer, t, c, v int, q backend.Quant) {
	either(m.embPacked, m.Backend.EmbeddingPacked)(y, codes, scales, ids, t, c, v, q)
}
func (m *mutant) RoPE(y, x, pos, freqs backend.Buffer, t, heads, d int, p backend.Pairing, inverse bool) {
	either(m.rope, m.Backend.RoPE)(y, x, pos, freqs, t, heads, d, p, inverse)
}
func (m *mutant) SwiGLUForward(y, gate, up backend.Buffer, n int) {
	either(m.gluForward, m.Backend.SwiGLUForward)(y, gate, up, n)
}
func (m *mutant) SwiGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int) {
	either(m.gluBackward, m.Backend.SwiGLUBackward)(dGate, dUp, dY, gate, up, n)
}
func (m *mutant) AttentionForward(o, lse, q, k, v backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	either(m.attForward, m.Backend.AttentionForward)(o, lse, q, k, v, segs, h, kh, d, scale)
}
func (m *mutant) AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	either(m.attBackward, m.Backend.AttentionBackward)(dQ, dK, dV, dO, q, k, v, o, lse, segs, h, kh, d, scale)
}
func (m *mutant) LinearCrossEntropy(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32) {
	either(m.entropy, m.Backend.LinearCrossEntropy)(nll, dX, dW, x, w, targets, weights, t, c, v, scale)
}
func (m *mutant) Gather(y, x, rows backend.Buffer, n, c int) {
	either(m.gather, m.Backend.Gather)(y, x, rows, n, c)
}
func (m *mutant) Scatter(y, x, rows backend.Buffer, n, c int) {
	either(m.scatter, m.Backend.Scatter)(y, x, rows, n, c)
}
func (m *mutant) AddScaled(y, x backend.Buffer, alpha float32) {
	either(m.addScaled, m.Backend.AddScaled)(y, x, alpha)
}
func (m *mutant) Copy(dst, src backend.Buffer)     { either(m.copy, m.Backend.Copy)(dst, src) }
func (m *mutant) Fill(x backend.Buffer, v float32) { either(m.fill, m.Backend.Fill)(x, v) }
func (m *mutant) Sample(ids, x backend.Buffer, draws []backend.Draw, v int) {
	either(m.sample, m.Backend.Sample)(ids, x, draws, v)
}
func (m *mutant) CrossEntropy(nll, x, ids backend.Buffer, t, v int) {
	either(m.crossEntropy, m.Backend.CrossEntropy)(nll, x, ids, t, v)
}
func (m *mutant) SumSquares(out backend.Buffer, xs []backend.Buffer) {
	either(m.sumSquares, m.Backend.SumSquares)(out, xs)
}
func (m *mutant) AdamW(tensors []backend.AdamWTensor, s backend.AdamWStep) {
	either(m.adamw, m.Backend.AdamW)(tensors, s)
}
func (m *mutant) Alloc(dt tensor.DType, n int) backend.Buffer {
	return either(m.alloc, m.Backend.Alloc)(dt, n)
}

// either returns the replacement where there is one, else the original.
func either[F any](replacement, original F) F {
	if reflect.ValueOf(replacement).IsNil() {
		return original
	}
	return replacement
}
