package cpu

import "tunebook/engine/backend"

// AddBias adds b to every row of y; see backend.Ops.
func (b *Backend) AddBias(y, bias backend.Buffer, t, c int) {
	n := biasTask{k: b.k, y: floats("AddBias", "y", y, t*c), b: floats("AddBias", "b", bias, c), rows: t, c: c, each: rowsOf(c)}
	if t == 0 || c == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks.bias = n
	b.pool.run(ceilDiv(t, n.each), &b.tasks.bias)
	b.tasks.bias = biasTask{}
}

type biasTask struct {
	k             *kernels
	y, b          []float32
	rows, c, each int
}

func (t *biasTask) do(_, item int) {
	for i := item * t.each; i < min((item+1)*t.each, t.rows); i++ {
		y := &t.y[i*t.c]
		t.k.add(y, y, &t.b[0], t.c)
	}
}

// SumRows adds the sum of the rows of dY to dB, in the order of t. Threads share the columns.
func (b *Backend) SumRows(dB, dY backend.Buffer, t, c int) {
	n := sumRowsTask{k: b.k, db: floats("SumRows", "dB", dB, c), dy: floats("SumRows", "dY", dY, t*c), rows: t, c: c}
	if t == 0 || c == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks.sumRows = n
	b.pool.run(ceilDiv(c, embedColumns), &b.tasks.sumRows)
	b.tasks.sumRows = sumRowsTask{}
}

type sumRowsTask struct {
	k       *kernels
	db, dy  []float32
	rows, c int
}

func (t *sumRowsTask) do(_, i int) {
	from := i * embedColumns
	n := min(embedColumns, t.c-from)
	for r := range t.rows {
		t.k.axpy(&t.db[from], &t.dy[r*t.c+from], 1, n)
	}
}
