package cpu

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

// The rows of a chunk of logits: as many as make 8 MB, which stay in the outer cache, but enough of them that a pass
// over W and dW, which every chunk costs, is worth it. A vocabulary of 49,152 then needs up to 100 MB.
const (
	logitsBudget = 2 << 20 // elements
	minLogitRows = 512
	maxLogitRows = 1024
)

// LinearCrossEntropy writes nll[t] = -log softmax(x[t,:]·Wᵀ)[targets[t]]; see backend.Ops.
//
// Rows without a target take no part. The others go through in equal chunks of up to 512 to 1024 rows, in which the logits are held.
// With e = exp(logit - max) and s = Σ e, a row's gradient by its logits is share/s·(e - s·onehot): the factor
// is applied to the rows of dX and x, which are shorter than the row of logits.
func (b *Backend) LinearCrossEntropy(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32) {
	const op = "LinearCrossEntropy"
	ns, xs, ws := floats(op, "nll", nll, t), floats(op, "x", x, t*c), floats(op, "w", w, v*c)
	ids := ints(op, "targets", targets, t)
	share := optional(op, "weights", weights, t)
	dx, dw := optional(op, "dX", dX, t*c), optional(op, "dW", dW, v*c)
	if dx == nil && dw != nil {
		panic(op + ": dW without dX; wanted both or dX alone")
	}
	supervised := 0
	for i, id := range ids {
		if id != backend.IgnoreIndex {
			supervised++
		}
		if id != backend.IgnoreIndex && (id < 0 || int(id) >= v) {
			panic(fmt.Sprintf("%s: targets[%d] is %d; wanted 0 … %d or %d", op, i, id, v-1, backend.IgnoreIndex))
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(ns)
	clear(dx)
	chunk := max(minLogitRows, min(maxLogitRows, logitsBudget/max(1, v)))
	chunk = ceilDiv(supervised, max(1, ceilDiv(supervised, chunk)))
	l := &b.tasks.logits
	*l = logitsTask{k: b.k, c: c, v: v, scale: scale, nll: ns, ids: ids, share: share, rows: l.rows[:0]}
	for at := 0; at < t; {
		l.rows = l.rows[:0]
		for ; at < t && len(l.rows) < chunk; at++ {
			if ids[at] != backend.IgnoreIndex {
				l.rows = append(l.rows, at)
			}
		}
		n := len(l.rows)
		if n == 0 {
			break
		}
		b.logits = grow(b.logits, n*v)
		b.rows = grow(b.rows, 2*n*c+n)
		l.logits = b.logits
		l.xs, l.dxs, l.factors = b.rows[:n*c], b.rows[n*c:2*n*c], b.rows[2*n*c:]
		for i, r := range l.rows {
			copy(l.xs[i*c:(i+1)*c], xs[r*c:(r+1)*c])
		}
		b.matMul(l.logits, l.xs, ws, n, v, c, backend.NT, 1, 0)
		b.pool.run(n, l)
		if dx == nil {
			continue
		}
		b.matMul(l.dxs, l.logits, ws, n, c, v, backend.NN, 1, 0)
		for i, r := range l.rows {
			b.k.scale(&dx[r*c], &l.dxs[i*c], l.factors[i], c)
		}
		if dw != nil {
			for i := range l.rows {
				b.k.scale(&l.xs[i*c], &l.xs[i*c], l.factors[i], c)
			}
			b.matMul(dw, l.logits, l.xs, v, c, n, backend.TN, 1, 1)
		}
	}
	*l = logitsTask{rows: l.rows[:0]}
}

// logitsTask turns a row of logits into its nll, its e - s·onehot and its factor.
type logitsTask struct {
	k                        *kernels
	c, v                     int
	scale                    float32
	nll, share               []float32
	ids                      []int32
	rows                     []int // the rows of x in this chunk
	logits, xs, dxs, factors []float32
}

func (t *logitsTask) do(_, i int) {
	row := t.logits[i*t.v : (i+1)*t.v]
	r := t.rows[i]
	target := t.ids[r]
	at := row[target]
	top := t.k.maxRow(&row[0], t.v)
	s := t.k.expRow(&row[0], &row[0], top, t.v)
	t.nll[r] = float32(math.Log(float64(s)) + float64(top) - float64(at))
	f := t.scale / s
	if t.share != nil {
		f *= t.share[r]
	}
	t.factors[i] = f
	row[target] -= s
}
