package train

import (
	"math"
	"sync"
	"time"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

var (
	peakMu sync.Mutex
	peaks  = map[string]float64{}
)

// Peak returns the most floating-point operations a second that a device was seen to make in a product of two matrices of
// 768 by 768, the best of several within a twentieth of a second; it is measured once in a process. A training step's share of
// it says how much of its time goes into products of matrices.
func Peak(dev backend.Backend) (float64, error) {
	peakMu.Lock()
	defer peakMu.Unlock()
	if p := peaks[dev.Name()]; p > 0 {
		return p, nil
	}
	const n = 768
	a, b, c := dev.Alloc(tensor.F32, n*n), dev.Alloc(tensor.F32, n*n), dev.Alloc(tensor.F32, n*n)
	defer func() { dev.Free(a); dev.Free(b); dev.Free(c) }()
	best := math.Inf(1)
	for start := time.Now(); time.Since(start) < 50*time.Millisecond || math.IsInf(best, 1); {
		from := time.Now()
		dev.MatMul(c, a, b, n, n, n, backend.NT, 1, 0)
		if err := dev.Sync(); err != nil {
			return 0, err
		}
		best = min(best, time.Since(from).Seconds())
	}
	peaks[dev.Name()] = 2 * n * n * n / best
	return peaks[dev.Name()], nil
}

// FLOPs returns the floating-point operations of an update's products with the model's matrices, the usual account of 6 for
// each trained weight and token: 2 forward, 2 to the activations and 2 to the weights, of which frozen ones have only 4. The
// head counts for supervised tokens alone. Attention's own products, and activations that are made again, are left out.
func (t *Trainer) FLOPs(r Report) float64 {
	layers, head := t.model.Products()
	each := 6.0
	if t.cfg.LoRA.Rank > 0 {
		each = 4
	}
	n := each * (float64(layers)*float64(r.Tokens) + float64(head)*float64(r.Supervised))
	if t.cfg.LoRA.Rank > 0 {
		n += 6 * float64(t.Trainable()) * float64(r.Tokens)
	}
	return n
}
