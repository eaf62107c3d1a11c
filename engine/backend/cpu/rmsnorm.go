package cpu

import (
	"math"

	"tunebook/engine/backend"
)

// RMSNormForward writes y[t,:] = s[t,:]·rstd[t]·w with s = x + res; see backend.Ops. Sums run in float32.
func (b *Backend) RMSNormForward(y, sum, rstd, x, res, w backend.Buffer, t, c int, eps float32) {
	const op = "RMSNormForward"
	n := normTask{k: b.k, c: c, rows: t, each: rowsOf(c), eps: eps,
		y: floats(op, "y", y, t*c), rstd: floats(op, "rstd", rstd, t), x: floats(op, "x", x, t*c), w: floats(op, "w", w, c)}
	if res != nil {
		n.res, n.sum = floats(op, "res", res, t*c), floats(op, "sum", sum, t*c)
	} else if sum != nil {
		panic("RMSNormForward: sum without res; wanted both or neither")
	}
	if t == 0 || c == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks.norm = n
	b.pool.run(ceilDiv(t, n.each), &b.tasks.norm)
	b.tasks.norm = normTask{}
}

type normTask struct {
	k                       *kernels
	y, sum, rstd, x, res, w []float32
	rows, c, each           int
	eps                     float32
}

func (t *normTask) do(_, item int) {
	for i := item * t.each; i < min((item+1)*t.each, t.rows); i++ {
		at := i * t.c
		s := &t.x[at]
		if t.res != nil {
			t.k.add(&t.sum[at], s, &t.res[at], t.c)
			s = &t.sum[at]
		}
		mean := float64(t.k.dot(s, s, t.c)) / float64(t.c)
		r := float32(1 / math.Sqrt(mean+float64(t.eps)))
		t.rstd[i] = r
		t.k.normScale(&t.y[at], s, &t.w[0], r, t.c)
	}
}

// RMSNormBackward writes dX = dSum + (the gradient of y through s) and adds to dW; see backend.Ops. With g = dY·w:
//
//	ds = rstd·g - s·rstd³/C·Σ g·s     dW = Σ dY·s·rstd
//
// Every item of rows sums its own dW; the sums are added in the order of the items.
func (b *Backend) RMSNormBackward(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
	const op = "RMSNormBackward"
	n := normGradTask{k: b.k, c: c, rows: t, each: rowsOf(c),
		dx: floats(op, "dX", dX, t*c), dy: floats(op, "dY", dY, t*c), dsum: optional(op, "dSum", dSum, t*c),
		x: floats(op, "x", x, t*c), w: floats(op, "w", w, c), rstd: floats(op, "rstd", rstd, t)}
	dw := optional(op, "dW", dW, c)
	if t == 0 || c == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	items := ceilDiv(t, n.each)
	// The last row of partials stays zero: it stands for an absent dSum.
	b.partials = grow(b.partials, (items+1)*c)
	clear(b.partials[items*c:])
	n.zeros = b.partials[items*c:]
	if dw != nil {
		n.dw = b.partials
	}
	b.tasks.normGrad = n
	b.pool.run(items, &b.tasks.normGrad)
	b.tasks.normGrad = normGradTask{}
	if dw != nil {
		for i := range items {
			b.k.axpy(&dw[0], &b.partials[i*c], 1, c)
		}
	}
}

type normGradTask struct {
	k                            *kernels
	dx, dw, dy, dsum, x, w, rstd []float32
	zeros                        []float32
	rows, c, each                int
}

func (t *normGradTask) do(_, item int) {
	var dw []float32
	if t.dw != nil {
		dw = t.dw[item*t.c : (item+1)*t.c]
		clear(dw)
	}
	for i := item * t.each; i < min((item+1)*t.each, t.rows); i++ {
		at := i * t.c
		r := t.rstd[i]
		dy, x := &t.dy[at], &t.x[at]
		dot := t.k.dot3(x, dy, &t.w[0], t.c)
		if dw != nil {
			t.k.normWeightGrad(&dw[0], dy, x, r, t.c)
		}
		dsum := &t.zeros[0]
		if t.dsum != nil {
			dsum = &t.dsum[at]
		}
		t.k.normGrad(&t.dx[at], dsum, dy, x, &t.w[0], r, r*r*r*dot/float32(t.c), t.c)
	}
}
