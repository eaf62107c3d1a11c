package backend

import (
	"errors"
	"time"

	"tunebook/engine/tensor"
)

// The parts of a training step that Timed tells apart.
const (
	Products     = "products"
	Attention    = "attention"
	CrossEntropy = "cross-entropy"
	Optimizer    = "optimizer"  // the update and the norm of the gradients
	Pointwise    = "pointwise"  // norms, RoPE, activations, biases, embeddings
	Movement     = "movement"   // fill, copy, add, gather, scatter, allocation, transfers
	Dequantised  = "dequantise" // Dequantize alone; products of quantised weights are products
)

// Parts are the parts of a step in the order in which they are shown.
var Parts = []string{Products, Attention, CrossEntropy, Optimizer, Pointwise, Movement, Dequantised}

// Timed is a device that keeps the time of every operation by the parts of a step. It waits for each operation, so on a
// device with a stream of its own the sum is more than the same step takes without it.
type Timed struct {
	Backend
	Of   map[string]time.Duration // by part
	Work map[string]float64       // floating-point operations of products, attention (the visible pairs) and cross-entropy, by part
	Idle bool                     // measure nothing and wait for nothing
	err  error                    // the first failure since the last Sync
}

// NewTimed returns a device that does what dev does and has measured nothing.
func NewTimed(dev Backend) *Timed {
	return &Timed{Backend: dev, Of: map[string]time.Duration{}, Work: map[string]float64{}}
}

// Reset forgets what was measured.
func (d *Timed) Reset() { clear(d.Of); clear(d.Work) }

// Available returns what Available tells of the device.
func (d *Timed) Available() (int64, error) {
	n, ok := Available(d.Backend)
	if !ok {
		return 0, errors.New("the memory that is left is not known here")
	}
	return n, nil
}

// since ends an operation that began at start.
func (d *Timed) since(part string, start time.Time) {
	if d.Idle {
		return
	}
	if err := d.Backend.Sync(); err != nil && d.err == nil {
		d.err = err
	}
	d.Of[part] += time.Since(start)
}

// Sync returns the first failure since the last Sync or Download.
func (d *Timed) Sync() error {
	err := d.err
	d.err = nil
	if e := d.Backend.Sync(); err == nil {
		err = e
	}
	return err
}

func (d *Timed) Alloc(dt tensor.DType, n int) Buffer {
	defer d.since(Movement, time.Now())
	return d.Backend.Alloc(dt, n)
}

func (d *Timed) AllocUninit(dt tensor.DType, n int) Buffer {
	defer d.since(Movement, time.Now())
	return d.Backend.AllocUninit(dt, n)
}

func (d *Timed) Upload(dst Buffer, src []float32) {
	defer d.since(Movement, time.Now())
	d.Backend.Upload(dst, src)
}

func (d *Timed) UploadInts(dst Buffer, src []int32) {
	defer d.since(Movement, time.Now())
	d.Backend.UploadInts(dst, src)
}

func (d *Timed) Download(dst []float32, src Buffer) error {
	defer d.since(Movement, time.Now())
	return d.moved(d.Backend.Download(dst, src))
}

func (d *Timed) DownloadInts(dst []int32, src Buffer) error {
	defer d.since(Movement, time.Now())
	return d.moved(d.Backend.DownloadInts(dst, src))
}

// moved returns an earlier failure, or err.
func (d *Timed) moved(err error) error {
	if d.err != nil {
		err, d.err = d.err, nil
	}
	return err
}

func (d *Timed) MatMul(c, a, b Buffer, m, n, k int, op MatOp, alpha, beta float32) {
	d.Work[Products] += 2 * float64(m) * float64(n) * float64(k)
	defer d.since(Products, time.Now())
	d.Backend.MatMul(c, a, b, m, n, k, op, alpha, beta)
}

func (d *Timed) LinearCrossEntropy(nll, dX, dW, x, w, targets, weights Buffer, t, c, v int, scale float32) {
	passes := 1.0
	if dX != nil {
		passes++
	}
	if dW != nil {
		passes++
	}
	d.Work[CrossEntropy] += 2 * passes * float64(t) * float64(c) * float64(v)
	defer d.since(CrossEntropy, time.Now())
	d.Backend.LinearCrossEntropy(nll, dX, dW, x, w, targets, weights, t, c, v, scale)
}

// AttentionWork returns the floating-point operations of the two products of a forward pass over segs, for the pairs of a query
// and a key that it sees; backward has 2.5 times as many.
func AttentionWork(segs *Segments, h, d int) float64 {
	pairs := 0.0
	for _, s := range segs.List {
		switch q, k := float64(s.QLen), float64(s.KLen); {
		case segs.Full && segs.Window == 0:
			pairs += q * k
		case segs.Window == 0:
			pairs += q*(k-q) + q*(q+1)/2
		default:
			for i := range s.QLen {
				last := s.KLen - s.QLen + i // the query's own key
				first := max(0, last-segs.Window+1)
				if segs.Full {
					last = min(s.KLen-1, last+segs.Window-1)
				}
				pairs += float64(last - first + 1)
			}
		}
	}
	return 4 * pairs * float64(h*d)
}

func (d *Timed) AttentionForward(o, lse, q, k, v Buffer, segs *Segments, h, kh, n int, scale float32) {
	d.Work[Attention] += AttentionWork(segs, h, n)
	defer d.since(Attention, time.Now())
	d.Backend.AttentionForward(o, lse, q, k, v, segs, h, kh, n, scale)
}

func (d *Timed) AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse Buffer, segs *Segments, h, kh, n int, scale float32) {
	d.Work[Attention] += 2.5 * AttentionWork(segs, h, n)
	defer d.since(Attention, time.Now())
	d.Backend.AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse, segs, h, kh, n, scale)
}

func (d *Timed) Dequantize(y, codes, scales Buffer, n int, q Quant) {
	defer d.since(Dequantised, time.Now())
	d.Backend.Dequantize(y, codes, scales, n, q)
}

// MatMulSum is the device's, or two products where it has none.
func (d *Timed) MatMulSum(c Buffer, first, second Term, m, n int, beta float32) {
	d.Work[Products] += 2 * float64(m) * float64(n) * float64(first.K+second.K)
	defer d.since(Products, time.Now())
	MatMulSum(d.Backend, c, first, second, m, n, beta)
}

func (d *Timed) MatMulPacked(c, a, codes, scales Buffer, m, n, k int, op MatOp, q Quant, alpha, beta float32) {
	d.Work[Products] += 2 * float64(m) * float64(n) * float64(k)
	defer d.since(Products, time.Now())
	d.Backend.MatMulPacked(c, a, codes, scales, m, n, k, op, q, alpha, beta)
}

func (d *Timed) EmbeddingPacked(y, codes, scales, ids Buffer, t, c, v int, q Quant) {
	defer d.since(Pointwise, time.Now())
	d.Backend.EmbeddingPacked(y, codes, scales, ids, t, c, v, q)
}

func (d *Timed) AdamW(tensors []AdamWTensor, s AdamWStep) {
	defer d.since(Optimizer, time.Now())
	d.Backend.AdamW(tensors, s)
}

func (d *Timed) SumSquares(out Buffer, xs []Buffer) {
	defer d.since(Optimizer, time.Now())
	d.Backend.SumSquares(out, xs)
}

func (d *Timed) EmbeddingForward(y, w, ids Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.EmbeddingForward(y, w, ids, t, c)
}

func (d *Timed) EmbeddingBackward(dW, dY, ids Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.EmbeddingBackward(dW, dY, ids, t, c)
}

func (d *Timed) RMSNormForward(y, sum, rstd, x, res, w Buffer, t, c int, eps float32) {
	defer d.since(Pointwise, time.Now())
	d.Backend.RMSNormForward(y, sum, rstd, x, res, w, t, c, eps)
}

func (d *Timed) RMSNormBackward(dX, dW, dY, dSum, x, w, rstd Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.RMSNormBackward(dX, dW, dY, dSum, x, w, rstd, t, c)
}

func (d *Timed) LayerNormForward(y, sum, mean, rstd, x, res, w, b Buffer, t, c int, eps float32) {
	defer d.since(Pointwise, time.Now())
	d.Backend.LayerNormForward(y, sum, mean, rstd, x, res, w, b, t, c, eps)
}

func (d *Timed) LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd, t, c)
}

func (d *Timed) AddBias(y, b Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.AddBias(y, b, t, c)
}

func (d *Timed) SumRows(dB, dY Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.SumRows(dB, dY, t, c)
}

func (d *Timed) RowNorms(norms, x Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.RowNorms(norms, x, t, c)
}

func (d *Timed) ScaleColumnsForward(y, x, m, e Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.ScaleColumnsForward(y, x, m, e, t, c)
}

func (d *Timed) ScaleColumnsBackward(dX, dM, dY, x, m, e Buffer, t, c int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.ScaleColumnsBackward(dX, dM, dY, x, m, e, t, c)
}

func (d *Timed) RoPE(y, x, pos, freqs Buffer, t, heads, n int, pairing Pairing, inverse bool) {
	defer d.since(Pointwise, time.Now())
	d.Backend.RoPE(y, x, pos, freqs, t, heads, n, pairing, inverse)
}

func (d *Timed) SwiGLUForward(y, gate, up Buffer, n int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.SwiGLUForward(y, gate, up, n)
}

func (d *Timed) SwiGLUBackward(dGate, dUp, dY, gate, up Buffer, n int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.SwiGLUBackward(dGate, dUp, dY, gate, up, n)
}

func (d *Timed) GeGLUForward(y, gate, up Buffer, n int, tanh bool) {
	defer d.since(Pointwise, time.Now())
	d.Backend.GeGLUForward(y, gate, up, n, tanh)
}

func (d *Timed) GeGLUBackward(dGate, dUp, dY, gate, up Buffer, n int, tanh bool) {
	defer d.since(Pointwise, time.Now())
	d.Backend.GeGLUBackward(dGate, dUp, dY, gate, up, n, tanh)
}

func (d *Timed) Sample(ids, x Buffer, draws []Draw, v int) {
	defer d.since(Pointwise, time.Now())
	d.Backend.Sample(ids, x, draws, v)
}

func (d *Timed) CrossEntropy(nll, x, ids Buffer, t, v int) {
	defer d.since(CrossEntropy, time.Now())
	d.Backend.CrossEntropy(nll, x, ids, t, v)
}

func (d *Timed) Gather(y, x, rows Buffer, n, c int) {
	defer d.since(Movement, time.Now())
	d.Backend.Gather(y, x, rows, n, c)
}

func (d *Timed) Scatter(y, x, rows Buffer, n, c int) {
	defer d.since(Movement, time.Now())
	d.Backend.Scatter(y, x, rows, n, c)
}

func (d *Timed) Fill(x Buffer, v float32) {
	defer d.since(Movement, time.Now())
	d.Backend.Fill(x, v)
}

func (d *Timed) Copy(dst, src Buffer) {
	defer d.since(Movement, time.Now())
	d.Backend.Copy(dst, src)
}

func (d *Timed) AddScaled(y, x Buffer, alpha float32) {
	defer d.since(Movement, time.Now())
	d.Backend.AddScaled(y, x, alpha)
}
