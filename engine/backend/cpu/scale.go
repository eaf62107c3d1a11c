package cpu

import (
	"math"

	"tunebook/engine/backend"
)

// RowNorms writes the length of every row; see backend.Ops.
func (b *Backend) RowNorms(norms, x backend.Buffer, t, c int) {
	n := rowNormsTask{k: b.k, norms: floats("RowNorms", "norms", norms, t), x: floats("RowNorms", "x", x, t*c), rows: t, c: c, each: rowsOf(c)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks.rowNorms = n
	b.pool.run(ceilDiv(t, n.each), &b.tasks.rowNorms)
	b.tasks.rowNorms = rowNormsTask{}
}

type rowNormsTask struct {
	k             *kernels
	norms, x      []float32
	rows, c, each int
}

func (t *rowNormsTask) do(_, item int) {
	for i := item * t.each; i < min((item+1)*t.each, t.rows); i++ {
		sum := float32(0)
		if t.c > 0 {
			sum = t.k.dot(&t.x[i*t.c], &t.x[i*t.c], t.c)
		}
		t.norms[i] = float32(math.Sqrt(float64(sum)))
	}
}

// ScaleColumnsForward writes y = x·m/d, column by column; see backend.Ops.
func (b *Backend) ScaleColumnsForward(y, x, m, d backend.Buffer, t, c int) {
	const op = "ScaleColumnsForward"
	b.scaleColumns(scaleColumnsTask{y: floats(op, "y", y, t*c), x: floats(op, "x", x, t*c), m: floats(op, "m", m, c), d: floats(op, "d", d, c), rows: t, c: c})
}

// ScaleColumnsBackward writes dX and adds to dM; see backend.Ops. Threads share the columns.
func (b *Backend) ScaleColumnsBackward(dX, dM, dY, x, m, d backend.Buffer, t, c int) {
	const op = "ScaleColumnsBackward"
	b.scaleColumns(scaleColumnsTask{y: floats(op, "dX", dX, t*c), dm: optional(op, "dM", dM, c), x: floats(op, "dY", dY, t*c),
		in: floats(op, "x", x, t*c), m: floats(op, "m", m, c), d: floats(op, "d", d, c), rows: t, c: c})
}

func (b *Backend) scaleColumns(t scaleColumnsTask) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.k, t.scratches = b.k, b.scratch
	b.tasks.scaleColumns = t
	b.pool.run(ceilDiv(t.c, embedColumns), &b.tasks.scaleColumns)
	b.tasks.scaleColumns = scaleColumnsTask{}
}

// scaleColumnsTask is the forward pass, or, with in, the backward pass from x (dY) into y (dX).
type scaleColumnsTask struct {
	k         *kernels
	y, x, in  []float32
	m, d, dm  []float32
	rows, c   int
	scratches [][]float32
}

func (t *scaleColumnsTask) do(w, i int) {
	from := i * embedColumns
	n := min(embedColumns, t.c-from)
	t.scratches[w] = grow(t.scratches[w], 2*embedColumns)
	f, sum := t.scratches[w][:n], t.scratches[w][embedColumns:embedColumns+n]
	for j := range f {
		f[j], sum[j] = t.m[from+j]/t.d[from+j], 0
	}
	for r := range t.rows {
		at := r*t.c + from
		y, x := t.y[at:at+n], t.x[at:at+n]
		if t.dm != nil {
			in := t.in[at : at+n]
			for j, v := range x {
				sum[j] += v * in[j]
			}
		}
		for j, v := range x {
			y[j] = v * f[j]
		}
	}
	if t.dm != nil {
		for j, v := range sum {
			t.dm[from+j] += v / t.d[from+j]
		}
	}
}
