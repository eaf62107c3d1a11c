package cpu

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

// Sample writes one index for each row of scores; see backend.Draw. Weights and their sums are float64.
func (b *Backend) Sample(ids, x backend.Buffer, draws []backend.Draw, v int) {
	t := len(draws)
	out, xs := ints("Sample", "ids", ids, t), floats("Sample", "x", x, t*v)
	if t == 0 {
		return
	}
	if v <= 0 {
		panic(fmt.Sprintf("Sample: rows of %d elements; wanted at least 1", v))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.tasks.sample
	*s = sampleTask{ids: out, x: xs, draws: draws, v: v, weights: s.weights}
	if len(s.weights) < b.pool.threads {
		s.weights = make([]weighed, b.pool.threads)
	}
	b.pool.run(t, s)
	*s = sampleTask{weights: s.weights}
}

type sampleTask struct {
	ids     []int32
	x       []float32
	draws   []backend.Draw
	v       int
	weights []weighed // per thread
}

func (t *sampleTask) do(w, i int) {
	t.ids[i] = t.weights[w].draw(t.x[i*t.v:(i+1)*t.v], t.draws[i])
}

// weighed is a row with its weights, and the indices that still may be next in the order of the cuts: a heap.
type weighed struct {
	row  []float32
	p    []float64
	heap []int32
	kept []int32
}

func (w *weighed) draw(row []float32, d backend.Draw) int32 {
	best := 0
	for i, z := range row {
		if z != z || z > math.MaxFloat32 {
			return -1
		}
		if z > row[best] {
			best = i
		}
	}
	top := float64(row[best])
	switch {
	case math.IsInf(top, -1):
		return -1
	case d.Temperature == 0:
		return int32(best)
	}
	if cap(w.p) < len(row) {
		w.p = make([]float64, len(row))
	}
	w.row, w.p = row, w.p[:len(row)]
	sum := 0.0
	for i, z := range row {
		w.p[i] = math.Exp((float64(z) - top) / d.Temperature)
		sum += w.p[i]
	}
	if !d.Cuts() {
		rest, last := d.U*sum, best
		for i, p := range w.p {
			if p > 0 {
				last = i
			}
			if rest -= p; rest < 0 {
				return int32(i)
			}
		}
		return int32(last)
	}
	sum = w.cut(d, sum)
	rest := d.U * sum
	for _, i := range w.kept {
		if rest -= w.p[i]; rest < 0 {
			return i
		}
	}
	return w.kept[len(w.kept)-1]
}

// cut fills kept in the order of the cuts and returns the sum of its weights; all is that of the whole row.
func (w *weighed) cut(d backend.Draw, all float64) float64 {
	w.kept, w.heap = w.kept[:0], w.heap[:0]
	for i, p := range w.p {
		if p > 0 { // what weighs nothing is never drawn and adds to no sum
			w.heap = append(w.heap, int32(i))
		}
	}
	for i := len(w.heap)/2 - 1; i >= 0; i-- {
		w.sift(i)
	}
	limit := len(w.heap)
	if d.TopK > 0 && d.TopK < limit {
		limit, all = d.TopK, 0
		for range limit {
			i := w.pop()
			w.kept = append(w.kept, i)
			all += w.p[i]
		}
	}
	enough := math.Inf(1)
	if d.TopP > 0 && d.TopP < 1 {
		enough = d.TopP * all
	}
	sum, n := 0.0, 0
	for ; n < limit && sum < enough; n++ {
		if n == len(w.kept) {
			w.kept = append(w.kept, w.pop())
		}
		p := w.p[w.kept[n]]
		if p < d.MinP {
			break
		}
		sum += p
	}
	w.kept = w.kept[:n]
	return sum
}

// before tells whether index i comes before j in the order of falling scores.
func (w *weighed) before(i, j int32) bool {
	return w.row[i] > w.row[j] || w.row[i] == w.row[j] && i < j
}

// pop takes the next index from the heap.
func (w *weighed) pop() int32 {
	first, last := w.heap[0], len(w.heap)-1
	w.heap[0] = w.heap[last]
	w.heap = w.heap[:last]
	w.sift(0)
	return first
}

// sift moves the entry at i down to where it belongs.
func (w *weighed) sift(i int) {
	for {
		c := 2*i + 1
		if c >= len(w.heap) {
			return
		}
		if c+1 < len(w.heap) && w.before(w.heap[c+1], w.heap[c]) {
			c++
		}
		if !w.before(w.heap[c], w.heap[i]) {
			return
		}
		w.heap[i], w.heap[c] = w.heap[c], w.heap[i]
		i = c
	}
}

// CrossEntropy writes nll[t] = log Σ exp(x[t,:]) - x[t,ids[t]]; see backend.Ops.
func (b *Backend) CrossEntropy(nll, x, ids backend.Buffer, t, v int) {
	const op = "CrossEntropy"
	out, xs, idx := floats(op, "nll", nll, t), floats(op, "x", x, t*v), ints(op, "ids", ids, t)
	checkIndices(op, "ids", idx, v)
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &b.tasks.entropy
	*e = entropyTask{b: b, nll: out, x: xs, ids: idx, v: v}
	b.pool.run(t, e)
	*e = entropyTask{}
}

type entropyTask struct {
	b      *Backend
	nll, x []float32
	ids    []int32
	v      int
}

func (t *entropyTask) do(w, i int) {
	row, s := t.x[i*t.v:(i+1)*t.v], grow(t.b.scratch[w], t.v)
	t.b.scratch[w] = s
	top := t.b.k.maxRow(&row[0], t.v)
	sum := t.b.k.expRow(&s[0], &row[0], top, t.v)
	t.nll[i] = float32(math.Log(float64(sum)) + float64(top) - float64(row[t.ids[i]]))
}
