package cpu

import (
	"math"

	"tunebook/engine/backend"
)

// LayerNormForward writes y[t,:] = (s[t,:]-mean[t])·rstd[t]·w + b with s = x + res; see backend.Ops. Sums run in float32;
// the row is centred twice, so a large
// mean costs neither it nor the variance any digits.
func (b *Backend) LayerNormForward(y, sum, mean, rstd, x, res, w, bias backend.Buffer, t, c int, eps float32) {
	const op = "LayerNormForward"
	n := layerNormTask{k: b.k, c: c, rows: t, each: rowsOf(c), eps: eps,
		y: floats(op, "y", y, t*c), mean: floats(op, "mean", mean, t), rstd: floats(op, "rstd", rstd, t),
		x: floats(op, "x", x, t*c), w: floats(op, "w", w, c), b: floats(op, "b", bias, c)}
	if res != nil {
		n.res, n.sum = floats(op, "res", res, t*c), floats(op, "sum", sum, t*c)
	} else if sum != nil {
		panic("LayerNormForward: sum without res; wanted both or neither")
	}
	if t == 0 || c == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n.ones = b.onesRow(c)
	b.tasks.layerNorm = n
	b.pool.run(ceilDiv(t, n.each), &b.tasks.layerNorm)
	b.tasks.layerNorm = layerNormTask{}
}

// onesRow returns c ones.
func (b *Backend) onesRow(c int) []float32 {
	for len(b.ones) < c {
		b.ones = append(b.ones, 1)
	}
	return b.ones[:c]
}

type layerNormTask struct {
	k                                      *kernels
	y, sum, mean, rstd, x, res, w, b, ones []float32
	rows, c, each                          int
	eps                                    float32
}

func (t *layerNormTask) do(_, item int) {
	for i := item * t.each; i < min((item+1)*t.each, t.rows); i++ {
		at := i * t.c
		s, y := &t.x[at], &t.y[at]
		if t.res != nil {
			t.k.add(&t.sum[at], s, &t.res[at], t.c)
			s = &t.sum[at]
		}
		m := t.k.dot(s, &t.ones[0], t.c) / float32(t.c)
		copy(t.y[at:at+t.c], run(s, t.c))
		t.k.axpy(y, &t.ones[0], -m, t.c)
		rest := t.k.dot(y, &t.ones[0], t.c) / float32(t.c) // what the rounding of the first sum left
		t.k.axpy(y, &t.ones[0], -rest, t.c)
		r := float32(1 / math.Sqrt(float64(t.k.dot(y, y, t.c))/float64(t.c)+float64(t.eps)))
		t.mean[i], t.rstd[i] = m+rest, r
		t.k.normScale(y, y, &t.w[0], r, t.c)
		t.k.add(y, y, &t.b[0], t.c)
	}
}

// LayerNormBackward writes dX = dSum + (the gradient of y through s) and adds to dW and dB; see backend.Ops. With g = dY·w
// and z = s - mean:
//
//	ds = rstd·g - z·rstd³/C·Σ g·z - rstd/C·Σ g     dW = Σ dY·z·rstd     dB = Σ dY
//
// Every item of rows sums its own dW and dB; the sums are added in the order of the items.
func (b *Backend) LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd backend.Buffer, t, c int) {
	const op = "LayerNormBackward"
	n := layerNormGradTask{k: b.k, c: c, rows: t, each: rowsOf(c),
		dx: floats(op, "dX", dX, t*c), dy: floats(op, "dY", dY, t*c), dsum: optional(op, "dSum", dSum, t*c),
		x: floats(op, "x", x, t*c), w: floats(op, "w", w, c), mean: floats(op, "mean", mean, t), rstd: floats(op, "rstd", rstd, t)}
	dw, db := optional(op, "dW", dW, c), optional(op, "dB", dB, c)
	if t == 0 || c == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	items := ceilDiv(t, n.each)
	// Two rows for each item, dW and dB; the last row stays zero: it stands for an absent dSum.
	b.partials = grow(b.partials, (2*items+1)*c)
	n.sums, n.zeros = b.partials, b.partials[2*items*c:]
	clear(n.zeros)
	n.ones, n.scratches = b.onesRow(c), b.scratch
	b.tasks.layerNormGrad = n
	b.pool.run(items, &b.tasks.layerNormGrad)
	b.tasks.layerNormGrad = layerNormGradTask{}
	for i := range items {
		if dw != nil {
			b.k.axpy(&dw[0], &b.partials[2*i*c], 1, c)
		}
		if db != nil {
			b.k.axpy(&db[0], &b.partials[(2*i+1)*c], 1, c)
		}
	}
}

type layerNormGradTask struct {
	k                              *kernels
	dx, dy, dsum, x, w, mean, rstd []float32
	sums, zeros, ones              []float32
	scratches                      [][]float32
	rows, c, each                  int
}

func (t *layerNormGradTask) do(w, item int) {
	t.scratches[w] = grow(t.scratches[w], t.c)
	z := t.scratches[w]
	dw, db := t.sums[2*item*t.c:(2*item+1)*t.c], t.sums[(2*item+1)*t.c:(2*item+2)*t.c]
	clear(dw)
	clear(db)
	for i := item * t.each; i < min((item+1)*t.each, t.rows); i++ {
		at := i * t.c
		r, dy := t.rstd[i], &t.dy[at]
		copy(z, t.x[at:at+t.c])
		t.k.axpy(&z[0], &t.ones[0], -t.mean[i], t.c)
		gz, g := t.k.dot3(&z[0], dy, &t.w[0], t.c), t.k.dot(dy, &t.w[0], t.c)
		t.k.normWeightGrad(&dw[0], dy, &z[0], r, t.c)
		t.k.axpy(&db[0], dy, 1, t.c)
		dsum := &t.zeros[0]
		if t.dsum != nil {
			dsum = &t.dsum[at]
		}
		t.k.normGrad(&t.dx[at], dsum, dy, &z[0], &t.w[0], r, r*r*r*gz/float32(t.c), t.c)
		t.k.axpy(&t.dx[at], &t.ones[0], -r*g/float32(t.c), t.c)
	}
}
