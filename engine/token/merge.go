package token

import (
	"math/bits"
	"sort"
)

// mergeTable tells which two neighbours become one token, and in which order. Low ranks go first; of equal ranks the
// leftmost pair does. It is a hash table of its own because it is asked once or twice for every byte of new text.
type mergeTable struct {
	slots []mergeSlot
	shift uint
	n     int
}

type mergeSlot struct {
	pair     uint64 // left<<32 | right, freePair when empty
	rank, id int32
}

const freePair = ^uint64(0)

func pairOf(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// newMergeTable returns a table with room for n pairs at most half full.
func newMergeTable(n int) *mergeTable {
	size := bits.Len(uint(2*n + 1))
	m := &mergeTable{slots: make([]mergeSlot, 1<<size), shift: uint(64 - size)}
	for i := range m.slots {
		m.slots[i].pair = freePair
	}
	return m
}

// put adds a pair; a pair that is there already takes the new rank.
func (m *mergeTable) put(left, right, rank, id int32) {
	s := m.slot(pairOf(left, right))
	if s.pair == freePair {
		m.n++
	}
	*s = mergeSlot{pairOf(left, right), rank, id}
}

func (m *mergeTable) slot(pair uint64) *mergeSlot {
	mask := uint64(len(m.slots) - 1)
	for i := pair * 0x9E3779B97F4A7C15 >> m.shift; ; i = (i + 1) & mask {
		if s := &m.slots[i]; s.pair == pair || s.pair == freePair {
			return s
		}
	}
}

// noRank is the rank of a pair that does not merge.
const noRank = int32(1<<31 - 1)

// rank returns the rank of the pair, noRank when it does not merge.
func (m *mergeTable) rank(left, right int32) int32 {
	if s := m.slot(pairOf(left, right)); s.pair != freePair {
		return s.rank
	}
	return noRank
}

// shortWord is the number of symbols up to which looking for the lowest rank by a scan beats a heap.
const shortWord = 48

// merge applies all merges to ids in place and returns what is left.
func (m *mergeTable) merge(ids []int32) []int32 {
	if len(ids) < 2 {
		return ids
	}
	if len(ids) > shortWord {
		return m.mergeLong(ids)
	}
	var buf [shortWord]int32
	ranks := buf[:len(ids)-1]
	for i := range ranks {
		ranks[i] = m.rank(ids[i], ids[i+1])
	}
	for len(ranks) > 0 {
		best, at := noRank, 0
		for i, r := range ranks {
			if r < best {
				best, at = r, i
			}
		}
		if best == noRank {
			break
		}
		ids[at] = m.slot(pairOf(ids[at], ids[at+1])).id
		copy(ids[at+1:], ids[at+2:])
		ids = ids[:len(ids)-1]
		copy(ranks[at:], ranks[at+1:])
		ranks = ranks[:len(ranks)-1]
		if at > 0 {
			ranks[at-1] = m.rank(ids[at-1], ids[at])
		}
		if at < len(ranks) {
			ranks[at] = m.rank(ids[at], ids[at+1])
		}
	}
	return ids
}

// mergeLong is merge in n·log(n) time: a heap of candidates over a linked list of symbols.
func (m *mergeTable) mergeLong(ids []int32) []int32 {
	n := int32(len(ids))
	next, prev := make([]int32, n), make([]int32, n)
	var h candidates
	for i := range n {
		next[i], prev[i] = i+1, i-1
		if i+1 < n {
			if r := m.rank(ids[i], ids[i+1]); r != noRank {
				h = append(h, newCandidate(r, i))
			}
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
	const gone = int32(-2) // prev of a symbol that was merged into its left neighbour
	for len(h) > 0 {
		c := h.pop()
		i := c.at()
		if prev[i] == gone || next[i] == n {
			continue
		}
		j := next[i]
		if m.rank(ids[i], ids[j]) != c.rank() {
			continue // the pair changed since it was put on the heap
		}
		ids[i] = m.slot(pairOf(ids[i], ids[j])).id
		next[i], prev[j] = next[j], gone
		if k := next[i]; k < n {
			prev[k] = i
			if r := m.rank(ids[i], ids[k]); r != noRank {
				h.push(newCandidate(r, i))
			}
		}
		if k := prev[i]; k >= 0 {
			if r := m.rank(ids[k], ids[i]); r != noRank {
				h.push(newCandidate(r, k))
			}
		}
	}
	out := ids[:0]
	for i := int32(0); i < n; i = next[i] {
		out = append(out, ids[i])
	}
	return out
}

// candidate is a pair to merge: its rank above the place of its left symbol, so that one comparison orders candidates.
type candidate uint64

func newCandidate(rank, at int32) candidate {
	return candidate(uint32(rank))<<32 | candidate(uint32(at))
}

func (c candidate) rank() int32 { return int32(c >> 32) }
func (c candidate) at() int32   { return int32(uint32(c)) }

// candidates is a heap, the least first. It is written out because container/heap allocates for each number.
type candidates []candidate

func (h *candidates) push(c candidate) {
	*h = append(*h, c)
	s := *h
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 2
		if s[up] <= c {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = c
}

func (h *candidates) pop() candidate {
	s := *h
	c := s[0]
	last := len(s) - 1
	s[0] = s[last]
	*h = s[:last]
	if last > 1 {
		h.down(0)
	}
	return c
}

func (h candidates) down(i int) {
	c := h[i]
	for {
		k := 2*i + 1
		if k >= len(h) {
			break
		}
		if k+1 < len(h) && h[k+1] < h[k] {
			k++
		}
		if c <= h[k] {
			break
		}
		h[i] = h[k]
		i = k
	}
	h[i] = c
}

// list returns all merges in the order of their ranks, of equal ranks in the order of the pairs.
func (m *mergeTable) list() []mergeSlot {
	out := make([]mergeSlot, 0, m.n)
	for _, s := range m.slots {
		if s.pair != freePair {
			out = append(out, s)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].rank != out[j].rank {
			return out[i].rank < out[j].rank
		}
		return out[i].pair < out[j].pair
	})
	return out
}

func (m *mergeTable) sum(w *summer) {
	w.num(m.n)
	dense, last := -1, noRank // ranks count without gaps, so that a list with a line twice is the list without it
	for _, s := range m.list() {
		if s.rank != last {
			dense, last = dense+1, s.rank
		}
		w.num(int(s.pair))
		w.num(dense)
		w.num(int(s.id))
	}
}
