package data

import (
	"fmt"
	"sort"

	"tunebook/engine/tensor"
)

// Place is where a row stands in a mix.
type Place struct {
	Part  string // name of the source that it came with
	Again int    // how often the same row of the same source stands before it in the source's draw
	Key   uint64 // names (part, row, again), whatever else is in the mix; what a Sampler shuffles by
	Block int    // block of the mix in which it lies, from 1
}

// placeOf names a row's place for good: two mixes give the same key to the same row of a source of the same name.
func placeOf(part string, e *Example, again int) Place {
	return Place{Part: part, Again: again, Key: tensor.NewRNG(0, fmt.Sprintf("place/%s/%s/%d/%d", part, e.Source, e.Row, again)).Uint64()}
}

// Sampler is the order in which training visits a mix: a pure function (seed, epoch, index) → row, so that a run goes on
// from one integer. An epoch visits every row once, block after block, in an order of its own within each block; so the
// planned mix holds in each block. Rows are ordered by their keys, and a further source leaves the order of the others
// among themselves as it is.
type Sampler struct {
	seed   int64
	keys   []uint64
	rows   []int // by block, and within one as given
	starts []int // of each block in rows; the end of the last
}

// NewSampler returns the sampler of rows with these places.
func NewSampler(seed int64, places []Place) *Sampler {
	s := &Sampler{seed: seed, keys: make([]uint64, len(places)), rows: make([]int, len(places))}
	for i, p := range places {
		s.keys[i], s.rows[i] = p.Key, i
	}
	sort.SliceStable(s.rows, func(i, j int) bool { return places[s.rows[i]].Block < places[s.rows[j]].Block })
	for i, row := range s.rows {
		if i == 0 || places[row].Block != places[s.rows[i-1]].Block {
			s.starts = append(s.starts, i)
		}
	}
	s.starts = append(s.starts, len(s.rows))
	return s
}

// Len returns the number of rows of an epoch.
func (s *Sampler) Len() int { return len(s.rows) }

// At returns the row that is visited at an index of an epoch, both from 0. It computes that row's block only.
func (s *Sampler) At(epoch, index int) int {
	b := sort.SearchInts(s.starts, index+1) - 1
	return s.block(epoch, b)[index-s.starts[b]]
}

// Epoch returns the rows in the order of an epoch: At of every index.
func (s *Sampler) Epoch(epoch int) []int {
	out := make([]int, 0, len(s.rows))
	for b := range len(s.starts) - 1 {
		out = append(out, s.block(epoch, b)...)
	}
	return out
}

func (s *Sampler) block(epoch, b int) []int {
	rows := append([]int(nil), s.rows[s.starts[b]:s.starts[b+1]]...)
	by := make(map[int]uint64, len(rows))
	for _, r := range rows {
		by[r] = tensor.NewRNG(s.seed, fmt.Sprintf("visit/%d/%x", epoch, s.keys[r])).Uint64()
	}
	sort.SliceStable(rows, func(i, j int) bool { return by[rows[i]] < by[rows[j]] })
	return rows
}

// stream is the endless draw of rows from one source: a pure function (seed, name, position) → row. Without replacement
// every pass visits all n rows in an order of its own; the first pass is the order of Take.
type stream struct {
	seed    int64
	name    string
	n       int
	replace bool

	pass int // whose order is kept
	perm []int
}

func (s *stream) at(pos int) int {
	if s.replace {
		return tensor.NewRNG(s.seed, fmt.Sprintf("replace/%s/%d", s.name, pos)).Intn(s.n)
	}
	if pass := pos / s.n; s.perm == nil || pass != s.pass {
		s.pass = pass
		if pass == 0 {
			s.perm = takeOrder(s.seed, s.name, s.n)
		} else {
			s.perm = tensor.NewRNG(s.seed, fmt.Sprintf("take/%s/pass %d", s.name, pass)).Perm(s.n)
		}
	}
	return s.perm[pos%s.n]
}
