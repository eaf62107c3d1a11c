package data

import (
	"container/heap"
	"fmt"
	"slices"

	"tunebook/engine/tensor"
)

// Sample returns n rows drawn without replacement while all are read once; only n are held, so that files may be larger
// than memory. The draw depends on the seed and on the reader's name, and for one seed Sample(250) is the beginning of
// Sample(500). It is an error when there are fewer than n rows.
func (r *Reader) Sample(seed int64, n int) (*Set, error) {
	if n < 1 {
		return nil, fmt.Errorf("data.Sample: %s: %d rows were asked for; wanted 1 or more", r.path, n)
	}
	// Each row gets a random number in turn; the n least are the sample.
	rng := tensor.NewRNG(seed, "sample/"+r.Name)
	var kept keyedRows
	total := 0
	for e, err := range r.Rows() {
		if err != nil {
			return nil, err
		}
		d := keyed{rng.Uint64(), total, e}
		total++
		switch {
		case len(kept) < n:
			heap.Push(&kept, d)
		case d.before(kept[0]):
			kept[0] = d
			heap.Fix(&kept, 0)
		}
	}
	if total < n {
		return nil, fmt.Errorf("data.Sample: %s: %d rows were asked for; there are %d, wanted 1 to %d", r.path, n, total, total)
	}
	slices.SortFunc(kept, func(a, b keyed) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	rows := make([]Example, n)
	for i := range kept {
		rows[i] = kept[i].row
	}
	return r.part(rows, total, "sample", fmt.Sprintf("seed %d, without replacement, while reading", seed)), nil
}

// Scan returns the rows for which keep is true; only these are held.
func (r *Reader) Scan(keep func(e *Example) bool) (*Set, error) {
	var rows []Example
	total := 0
	for e, err := range r.Rows() {
		if err != nil {
			return nil, err
		}
		if total++; keep(&e) {
			rows = append(rows, e)
		}
	}
	return r.part(rows, total, "scan", "where, while reading"), nil
}

// part is a set of some of total rows that were read.
func (r *Reader) part(rows []Example, total int, op, note string) *Set {
	return &Set{Name: r.Name, Rows: rows, Available: total, Notes: slices.Concat(r.Notes, r.Passed),
		Steps: append(r.steps[:len(r.steps):len(r.steps)], Step{Op: op, From: total, To: len(rows), Note: note})}
}

// keyed is a row with its random number; at breaks ties.
type keyed struct {
	key uint64
	at  int
	row Example
}

func (d keyed) before(e keyed) bool { return d.key < e.key || d.key == e.key && d.at < e.at }

// keyedRows is a heap, the row that leaves first on top.
type keyedRows []keyed

func (h keyedRows) Len() int           { return len(h) }
func (h keyedRows) Less(i, j int) bool { return h[j].before(h[i]) }
func (h keyedRows) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *keyedRows) Push(x any)        { *h = append(*h, x.(keyed)) }
func (h *keyedRows) Pop() any {
	old := *h
	d := old[len(old)-1]
	*h = old[:len(old)-1]
	return d
}
