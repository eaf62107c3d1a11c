package cpu

import "tunebook/engine/backend"

// rowsTask copies rows that an index names: y[i,:] = x[idx[i],:], or y[idx[i],:] = x[i,:] to scatter.
type rowsTask struct {
	y, x    []float32
	idx     []int32
	c, each int // elements of a row, rows of an item
	scatter bool
}

// rowsOf returns how many rows of c elements make an item of about grain elements.
func rowsOf(c int) int { return max(1, grain/max(1, c)) }

func (b *Backend) copyRows(t rowsTask) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.each = rowsOf(t.c)
	b.tasks.rows = t
	b.pool.run(ceilDiv(len(t.idx), t.each), &b.tasks.rows)
	b.tasks.rows = rowsTask{}
}

func (t *rowsTask) do(_, item int) {
	for i := item * t.each; i < min((item+1)*t.each, len(t.idx)); i++ {
		from, to := int(t.idx[i])*t.c, i*t.c
		if t.scatter {
			from, to = to, from
		}
		copy(t.y[to:to+t.c], t.x[from:from+t.c])
	}
}

// Gather writes y[i,:] = x[rows[i],:]; see backend.Ops.
func (b *Backend) Gather(y, x, rows backend.Buffer, n, c int) {
	ys, idx := floats("Gather", "y", y, n*c), ints("Gather", "rows", rows, n)
	if n == 0 || c == 0 {
		return
	}
	checkIndices("Gather", "rows", idx, x.Len()/c)
	b.copyRows(rowsTask{y: ys, x: floats("Gather", "x", x, x.Len()), idx: idx, c: c})
}

// Scatter writes y[rows[i],:] = x[i,:]; see backend.Ops.
func (b *Backend) Scatter(y, x, rows backend.Buffer, n, c int) {
	xs, idx := floats("Scatter", "x", x, n*c), ints("Scatter", "rows", rows, n)
	if n == 0 || c == 0 {
		return
	}
	checkIndices("Scatter", "rows", idx, y.Len()/c)
	b.copyRows(rowsTask{y: floats("Scatter", "y", y, y.Len()), x: xs, idx: idx, c: c, scatter: true})
}

// EmbeddingForward writes y[t,:] = w[ids[t],:]; see backend.Ops.
func (b *Backend) EmbeddingForward(y, w, ids backend.Buffer, t, c int) {
	const op = "EmbeddingForward"
	ys, idx := floats(op, "y", y, t*c), ints(op, "ids", ids, t)
	if t == 0 || c == 0 {
		return
	}
	checkIndices(op, "ids", idx, w.Len()/c)
	b.copyRows(rowsTask{y: ys, x: floats(op, "w", w, w.Len()), idx: idx, c: c})
}

// EmbeddingBackward adds dY[t,:] to dW[ids[t],:], in the order of t. Threads share the columns, not the tokens: two
// tokens may name the same row.
func (b *Backend) EmbeddingBackward(dW, dY, ids backend.Buffer, t, c int) {
	const op = "EmbeddingBackward"
	dys, idx := floats(op, "dY", dY, t*c), ints(op, "ids", ids, t)
	if t == 0 || c == 0 {
		return
	}
	checkIndices(op, "ids", idx, dW.Len()/c)
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &b.tasks.embed
	*e = embedTask{k: b.k, dw: floats(op, "dW", dW, dW.Len()), dy: dys, ids: idx, c: c}
	b.pool.run(ceilDiv(c, embedColumns), e)
	*e = embedTask{}
}

const embedColumns = 96

type embedTask struct {
	k      *kernels
	dw, dy []float32
	ids    []int32
	c      int
}

func (t *embedTask) do(_, i int) {
	from := i * embedColumns
	n := min(embedColumns, t.c-from)
	for r, id := range t.ids {
		t.k.axpy(&t.dw[int(id)*t.c+from], &t.dy[r*t.c+from], 1, n)
	}
}
