package cpu

import (
	"fmt"

	"tunebook/engine/backend"
)

// AttentionBackward writes dQ, dK and dV for the rows that segments name; see backend.Ops.
//
// One thread computes a key-value head of a segment: it goes through the query heads, the tiles of queries and the
// blocks of keys in a fixed order and recomputes the scores from q, k and lse, so only a tile of them exists:
//
//	P = exp(scale·q·kᵀ - lse)   dP = dO·vᵀ   dS = scale·P·(dP - Σ dO·o)
//	dQ = dS·k   dK = dSᵀ·q   dV = Pᵀ·dO
func (b *Backend) AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	const op = "AttentionBackward"
	rows, keys := extent(op, segs, h, kh, d)
	t := attentionGradTask{
		dq: floats(op, "dQ", dQ, rows*h*d), dk: floats(op, "dK", dK, keys*kh*d), dv: floats(op, "dV", dV, keys*kh*d),
		dOut: floats(op, "dO", dO, rows*h*d), q: floats(op, "q", q, rows*h*d), key: floats(op, "k", k, keys*kh*d),
		v: floats(op, "v", v, keys*kh*d), o: floats(op, "o", o, rows*h*d), lse: floats(op, "lse", lse, rows*h),
	}
	for i, g := range segs.List {
		if g.QLen != g.KLen {
			panic(fmt.Sprintf("%s: segment %d has %d queries and %d keys; wanted equal ranges", op, i, g.QLen, g.KLen))
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.work = b.work[:0]
	for s, g := range segs.List {
		for head := range kh {
			if g.QLen > 0 {
				b.work = append(b.work, attnItem{segment: int32(s), head: int32(head)})
			}
		}
	}
	t.attnShape = attnShape{k: b.k, segs: segs.List, window: windowOf(segs, keys), full: segs.Full, h: h, kh: kh, d: d, scale: scale, items: b.work, scratches: b.scratch}
	b.tasks.attnGrad = t
	b.pool.run(len(b.work), &b.tasks.attnGrad)
	b.tasks.attnGrad = attentionGradTask{}
}

type attentionGradTask struct {
	attnShape
	dq, dk, dv, dOut, q, key, v, o, lse []float32
}

func (t *attentionGradTask) do(w, i int) {
	it := t.items[i]
	g, head := t.segs[it.segment], int(it.head)
	k, d, width, group := t.k, t.d, t.k.width(), t.group()
	ldq, ldk := t.h*d, t.kh*d
	n, past, first := g.KLen, t.past(g), t.first(g)
	padded := ceilDiv(n, k.lanes) * k.lanes
	buf := t.scratch(w, 2*d*padded+2*d*width+4*keyBlock*width+2*width)
	kt, vt := carve(&buf, d*padded), carve(&buf, d*padded)
	s := gradTile{
		qt: carve(&buf, d*width), dot: carve(&buf, d*width),
		st: carve(&buf, keyBlock*width), dp: carve(&buf, keyBlock*width),
		p: carve(&buf, keyBlock*width), ds: carve(&buf, keyBlock*width),
		lse: carve(&buf, width), delta: carve(&buf, width),
	}
	base := g.KStart*ldk + head*d
	for l := 0; l < n; l += k.lanes {
		count := min(k.lanes, n-l)
		k.turn(kt[l:], padded, t.key[base+l*ldk:], ldk, count, d)
		k.turn(vt[l:], padded, t.v[base+l*ldk:], ldk, count, d)
	}
	for j := range n {
		clear(t.dk[base+j*ldk : base+j*ldk+d])
		clear(t.dv[base+j*ldk : base+j*ldk+d])
	}
	for h := range group {
		for q0 := 0; q0 < n; q0 += width {
			qn := min(width, n-q0)
			at := (g.QStart+q0)*ldq + (head*group+h)*d
			t.packQueries(s.qt, t.q[at:], ldq, qn)
			t.packQueries(s.dot, t.dOut[at:], ldq, qn)
			for i := range width {
				r := min(i, qn-1) // lanes without a query are finite and unused
				s.lse[i] = t.lse[(g.QStart+q0+r)*t.h+head*group+h]
				s.delta[i] = k.dot(&t.dOut[at+r*ldq], &t.o[at+r*ldq], d)
			}
			start := max(0, q0+first) / keyBlock * keyBlock
			end := min(n, q0+qn+past)
			for j := start; j < end; j += keyBlock {
				kn := min(keyBlock, end-j)
				t.scores(s.st, kt[j:], padded, s.qt, kn, t.scale)
				t.scores(s.dp, vt[j:], padded, s.dot, kn, 1)
				k.softmaxGrad(&s.st[0], &s.dp[0], &s.lse[0], &s.delta[0], t.scale, kn)
				mask(s.st, width, kn, q0+past-j, 0)
				mask(s.dp, width, kn, q0+past-j, 0)
				maskBefore(s.st, width, kn, q0+first-j, 0)
				maskBefore(s.dp, width, kn, q0+first-j, 0)
				t.products(&s, at, base+j*ldk, q0+past-j, qn, kn, j > start)
			}
		}
	}
}

// gradTile holds one tile of queries and its block of keys: scores and their gradients lie [key][query] in st and dp,
// [query][key] in p and ds.
type gradTile struct{ qt, dot, st, dp, p, ds, lse, delta []float32 }

// products adds a tile's share to dQ, dK and dV. Rows of queries begin at at, rows of keys at base; query i sees keys up
// to i+past. more tells that dQ holds the sums of earlier blocks.
func (t *attentionGradTask) products(s *gradTile, at, base, past, qn, kn int, more bool) {
	k, d, width := t.k, t.d, t.k.width()
	ldq, ldk := t.h*d, t.kh*d
	var beta float32
	if more {
		beta = 1
	}
	for r := 0; r < qn; r += k.rows {
		m := min(k.rows, qn-r)
		depth := min(kn, r+m+past)
		if depth <= 0 {
			continue
		}
		for e := 0; e < d; e += width {
			k.tile(m, min(width, d-e), depth, &s.dp[r], width, &t.key[base+e], ldk, t.dq[at+r*ldq+e:], ldq, 1, beta)
		}
	}
	for l := 0; l < kn; l += k.lanes {
		count := min(k.lanes, kn-l)
		k.turn(s.p[l:], keyBlock, s.st[l*width:], width, count, width)
		k.turn(s.ds[l:], keyBlock, s.dp[l*width:], width, count, width)
	}
	for r := 0; r < kn; r += k.rows {
		m := min(k.rows, kn-r)
		first := max(0, r-past) // the first query that sees one of these keys
		if first >= qn {
			continue
		}
		for e := 0; e < d; e += width {
			c := min(width, d-e)
			k.tile(m, c, qn-first, &s.p[first*keyBlock+r], keyBlock, &t.dOut[at+first*ldq+e], ldq, t.dv[base+r*ldk+e:], ldk, 1, 1)
			k.tile(m, c, qn-first, &s.ds[first*keyBlock+r], keyBlock, &t.q[at+first*ldq+e], ldq, t.dk[base+r*ldk+e:], ldk, 1, 1)
		}
	}
}
