package cpu

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

const (
	// keyBlock is the number of keys whose scores an attention tile holds at a time.
	keyBlock = 128
	// tilesPerItem is the number of query tiles that share one transposed block of keys.
	tilesPerItem = 4
)

// attnItem is a piece of attention that one thread computes: a key-value head of a segment and some of its queries.
type attnItem struct{ segment, head, query int32 }

// attnShape is what both directions know of a call.
type attnShape struct {
	k         *kernels
	segs      []backend.Segment
	window    int // keys that a query sees at most
	full      bool
	h, kh, d  int
	scale     float32
	items     []attnItem
	scratches [][]float32
}

// group returns the number of query heads that share a key-value head.
func (s *attnShape) group() int { return s.h / s.kh }

// scratch returns n elements of a thread's own memory.
func (s *attnShape) scratch(w, n int) []float32 {
	s.scratches[w] = grow(s.scratches[w], n)
	return s.scratches[w]
}

// carve cuts n elements off the front of buf.
func carve(buf *[]float32, n int) []float32 {
	s := (*buf)[:n:n]
	*buf = (*buf)[n:]
	return s
}

// windowOf returns a number of keys that is no less than what any query sees.
func windowOf(segs *backend.Segments, keys int) int {
	if segs.Window == 0 {
		return max(1, keys)
	}
	return segs.Window
}

// past returns p so that query i of a segment sees keys up to i+p, as far as there are any.
func (s *attnShape) past(g backend.Segment) int {
	if s.full {
		return min(g.KLen, g.KLen-g.QLen+s.window-1)
	}
	return g.KLen - g.QLen
}

// first returns f so that query i of a segment sees no key before i+f.
func (s *attnShape) first(g backend.Segment) int { return g.KLen - g.QLen - s.window + 1 }

// extent checks the heads and the segments and returns how many rows of q and of k they reach.
func extent(op string, segs *backend.Segments, h, kh, d int) (rows, keys int) {
	if h <= 0 || kh <= 0 || h%kh != 0 || d <= 0 {
		panic(fmt.Sprintf("%s: %d query heads over %d key-value heads of size %d; wanted a multiple of at least 1", op, h, kh, d))
	}
	if segs.Window < 0 {
		panic(fmt.Sprintf("%s: a window of %d keys; wanted 0 (all) or more", op, segs.Window))
	}
	for i, g := range segs.List {
		if g.QStart < 0 || g.QLen < 0 || g.KStart < 0 || g.KLen < g.QLen {
			panic(fmt.Sprintf("%s: segment %d is %+v; wanted starts and lengths of 0 or more and KLen ≥ QLen", op, i, g))
		}
		if g.QLen > 0 {
			rows, keys = max(rows, g.QStart+g.QLen), max(keys, g.KStart+g.KLen)
		}
	}
	return rows, keys
}

// AttentionForward writes softmax(scale·q·kᵀ)·v per segment and head; see backend.Ops.
//
// The scores of a tile of queries are kept transposed, a row for each key and a lane for each query, so that softmax
// runs along lanes and the product with v reads them as they lie. Keys come in blocks with a running maximum and sum
// (Milakov & Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135). A segment of one query computes
// its scores in one row instead.
func (b *Backend) AttentionForward(o, lse, q, k, v backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	const op = "AttentionForward"
	rows, keys := extent(op, segs, h, kh, d)
	os, qs := floats(op, "o", o, rows*h*d), floats(op, "q", q, rows*h*d)
	ks, vs := floats(op, "k", k, keys*kh*d), floats(op, "v", v, keys*kh*d)
	ls := optional(op, "lse", lse, rows*h)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.work = b.work[:0]
	step := tilesPerItem * b.k.width()
	for s, g := range segs.List {
		for head := range kh {
			for i := 0; i < g.QLen; i += step {
				b.work = append(b.work, attnItem{int32(s), int32(head), int32(i)})
			}
		}
	}
	t := &b.tasks.attention
	*t = attentionTask{
		attnShape: attnShape{k: b.k, segs: segs.List, window: windowOf(segs, keys), full: segs.Full, h: h, kh: kh, d: d, scale: scale, items: b.work, scratches: b.scratch},
		o:         os, lse: ls, q: qs, key: ks, v: vs,
	}
	b.pool.run(len(b.work), t)
	*t = attentionTask{}
}

type attentionTask struct {
	attnShape
	o, lse, q, key, v []float32
}

func (t *attentionTask) do(w, i int) {
	it := t.items[i]
	g := t.segs[it.segment]
	if g.QLen == 1 {
		t.decode(w, g, int(it.head))
	} else {
		t.tiles(w, g, int(it.head), int(it.query))
	}
}

// packQueries lays n rows of d elements, ld apart, out as [d][width]; lanes from n on are zero.
func (s *attnShape) packQueries(dst, src []float32, ld, n int) {
	width := s.k.width()
	for l := 0; l < width; l += s.k.lanes {
		if count := min(s.k.lanes, n-l); count > 0 {
			s.k.turn(dst[l:], width, src[l*ld:], ld, count, s.d)
			continue
		}
		for p := range s.d {
			clear(dst[p*width+l : p*width+l+s.k.lanes])
		}
	}
}

// scores writes dst[j,i] = alpha·Σ keys[p,j]·queries[p,i] for n keys and a tile of queries.
func (s *attnShape) scores(dst, keys []float32, ld int, queries []float32, n int, alpha float32) {
	width := s.k.width()
	for r := 0; r < n; r += s.k.rows {
		s.k.tile(min(s.k.rows, n-r), width, s.d, &keys[r], ld, &queries[0], width, dst[r*width:], width, alpha, 0)
	}
}

// tiles computes up to tilesPerItem tiles of queries from query on, for all query heads of a key-value head.
func (t *attentionTask) tiles(w int, g backend.Segment, head, query int) {
	k, d, width, group := t.k, t.d, t.k.width(), t.group()
	ldq, ldk := t.h*d, t.kh*d
	nq := min(g.QLen-query, tilesPerItem*width)
	past, first := t.past(g), t.first(g)
	end := min(g.KLen, query+nq+past) // of the keys that the last query sees
	n := ceilDiv(nq, width)
	buf := t.scratch(w, d*keyBlock+group*n*(d+2)*width+(keyBlock+1)*width)
	kt := carve(&buf, d*keyBlock)
	qt := carve(&buf, group*n*d*width)
	tops, sums := carve(&buf, group*n*width), carve(&buf, group*n*width)
	st, old := carve(&buf, keyBlock*width), carve(&buf, width)
	for h := range group {
		for i := range n {
			row := g.QStart + query + i*width
			t.packQueries(qt[(h*n+i)*d*width:], t.q[row*ldq+(head*group+h)*d:], ldq, min(width, nq-i*width))
		}
	}
	for i := range tops {
		tops[i], sums[i] = lowest, 0
	}
	start := max(0, query+first) / keyBlock * keyBlock // the block of the first key that the first query sees
	for j := start; j < end; j += keyBlock {
		kn := min(keyBlock, end-j)
		at := (g.KStart+j)*ldk + head*d
		for l := 0; l < kn; l += k.lanes {
			k.turn(kt[l:], keyBlock, t.key[at+l*ldk:], ldk, min(k.lanes, kn-l), d)
		}
		for h := range group {
			for i := range n {
				q0 := query + i*width
				qn := min(width, query+nq-q0)
				seen := min(kn, q0+qn+past-j) // keys of this block that the tile's last query sees
				if seen <= 0 {
					continue
				}
				c := h*n + i
				t.scores(st, kt, keyBlock, qt[c*d*width:], seen, t.scale)
				mask(st, width, seen, q0+past-j, float32(math.Inf(-1)))
				maskBefore(st, width, seen, q0+first-j, float32(math.Inf(-1)))
				top, sum := tops[c*width:(c+1)*width], sums[c*width:(c+1)*width]
				out := t.o[(g.QStart+q0)*ldq+(head*group+h)*d:]
				copy(old, top)
				k.maxColumns(&top[0], &st[0], seen)
				beta := float32(0)
				if j > start {
					beta = 1
					t.rescale(out, ldq, sum, old, top, qn)
				}
				k.expColumns(&sum[0], &st[0], &top[0], seen)
				for r := 0; r < qn; r += k.rows {
					m := min(k.rows, qn-r)
					if depth := min(seen, q0+r+m+past-j); depth > 0 {
						for e := 0; e < d; e += width {
							k.tile(m, min(width, d-e), depth, &st[r], width, &t.v[at+e], ldk, out[r*ldq+e:], ldq, 1, beta)
						}
					}
				}
			}
		}
	}
	for h := range group {
		for i := range nq {
			c := (h*n+i/width)*width + i%width
			row := g.QStart + query + i
			o := &t.o[row*ldq+(head*group+h)*d]
			k.scale(o, o, 1/sums[c], d)
			if t.lse != nil {
				t.lse[row*t.h+head*group+h] = tops[c] + float32(math.Log(float64(sums[c])))
			}
		}
	}
}

// rescale multiplies the sums and the output rows of n queries by exp(old - top), where the maximum has risen.
func (t *attentionTask) rescale(out []float32, ld int, sum, old, top []float32, n int) {
	for i := range n {
		if old[i] == top[i] {
			continue
		}
		f := float32(math.Exp(float64(old[i] - top[i])))
		sum[i] *= f
		t.k.scale(&out[i*ld], &out[i*ld], f, t.d)
	}
}

// mask writes v over the scores s[j,i] that query i may not see: lane i sees keys up to i+past of the block.
func mask(s []float32, width, keys, past int, v float32) {
	for j := max(0, past+1); j < keys; j++ {
		row := s[j*width : j*width+min(width, j-past)]
		for i := range row {
			row[i] = v
		}
	}
}

// lowest is the running maximum of a query that has seen no key yet. It is finite, so that exp(-∞ - lowest) is 0 where a
// window hides a whole block from a query.
const lowest = -math.MaxFloat32

// maskBefore writes v over the scores s[j,i] of keys that lie before query i's window: lane i sees keys from first+i of
// the block on.
func maskBefore(s []float32, width, keys, first int, v float32) {
	for j := 0; j < min(keys, first+width-1); j++ {
		row := s[j*width+max(0, j-first+1) : (j+1)*width]
		for i := range row {
			row[i] = v
		}
	}
}

// decode computes one query for all query heads of a key-value head.
func (t *attentionTask) decode(w int, g backend.Segment, head int) {
	k, d, group, n := t.k, t.d, t.group(), min(g.KLen, t.window)
	g.KStart += g.KLen - n
	buf := t.scratch(w, 2*group*n)
	p, pt := carve(&buf, group*n), carve(&buf, group*n)
	ldk := t.kh * d
	at := g.KStart*ldk + head*d
	row := g.QStart*t.h + head*group
	q, o := t.q[row*d:], t.o[row*d:]
	for j := 0; j < n; j += k.columns {
		key := &t.key[at+j*ldk]
		for h := 0; h < group; {
			m := min(len(k.dots), group-h)
			k.dots[m-1](d, &q[h*d], d, key, ldk, &p[h*n+j], n, t.scale, 0, min(k.columns, n-j), key)
			h += m
		}
	}
	for h := range group {
		s := p[h*n : (h+1)*n]
		top := k.maxRow(&s[0], n)
		sum := k.expRow(&s[0], &s[0], top, n)
		f := 1 / sum
		for j, v := range s {
			pt[j*group+h] = v * f
		}
		if t.lse != nil {
			t.lse[row+h] = top + float32(math.Log(float64(sum)))
		}
	}
	width := k.width()
	for r := 0; r < group; r += k.rows {
		for e := 0; e < d; e += width {
			k.tile(min(k.rows, group-r), min(width, d-e), n, &pt[r], group, &t.v[at+e], ldk, o[r*d+e:], d, 1, 0)
		}
	}
}
