package ref

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

// heads names the rows of a packed batch's attention operands: q, o (T, H·D) and k, v (TK, K·D).
type heads struct{ h, kh, d int }

func (s heads) query(x []float32, row, head int) []float32 {
	at := (row*s.h + head) * s.d
	return x[at : at+s.d]
}

// key returns the row of k or v that query head reads: key-value head head·K/H.
func (s heads) key(x []float32, row, head int) []float32 {
	at := (row*s.kh + head*s.kh/s.h) * s.d
	return x[at : at+s.d]
}

// extent returns how many rows of q and of k the segments reach over. It panics for a segment that is no segment.
func extent(op string, segs *backend.Segments, s heads) (rows, keys int) {
	if s.kh <= 0 || s.h%s.kh != 0 {
		panic(fmt.Sprintf("%s: %d query heads over %d key-value heads; wanted a multiple", op, s.h, s.kh))
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

// softmax returns the weights that one query gives to its keys, the last that it sees being the last of the list, 0 to
// those before its window, and the logarithm of their sum before division.
func (s heads) softmax(qRow, k []float32, segs *backend.Segments, g backend.Segment, i, head int, scale float64) (p []float64, lse float64) {
	own := g.KLen - g.QLen + i // the last query stands at the last key, the one before it at the last but one
	n, first := own+1, 0
	if segs.Window > 0 {
		first = max(0, own+1-segs.Window)
	}
	if segs.Full {
		n = g.KLen
		if segs.Window > 0 {
			n = min(n, own+segs.Window)
		}
	}
	p = make([]float64, n)
	top := math.Inf(-1)
	for j := first; j < len(p); j++ {
		p[j] = scale * dot(qRow, s.key(k, g.KStart+j, head))
		top = max(top, p[j])
	}
	var sum float64
	for _, v := range p[first:] {
		sum += math.Exp(v - top)
	}
	lse = top + math.Log(sum)
	for j := first; j < len(p); j++ {
		p[j] = math.Exp(p[j] - lse)
	}
	return p, lse
}

// AttentionForward writes o = softmax(scale·q·kᵀ)·v per segment and head, and lse where it is not nil.
func (*Backend) AttentionForward(o, lse, q, k, v backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	const op = "AttentionForward"
	s := heads{h, kh, d}
	rows, keys := extent(op, segs, s)
	os, qs := floats(op, "o", o, rows*h*d), floats(op, "q", q, rows*h*d)
	ks, vs := floats(op, "k", k, keys*kh*d), floats(op, "v", v, keys*kh*d)
	var ls []float32
	if lse != nil {
		ls = floats(op, "lse", lse, rows*h)
	}
	for _, g := range segs.List {
		for i := range g.QLen {
			for head := range h {
				row := g.QStart + i
				p, l := s.softmax(s.query(qs, row, head), ks, segs, g, i, head, float64(scale))
				sum := make([]float64, d)
				for j, w := range p {
					for e, u := range s.key(vs, g.KStart+j, head) {
						sum[e] += w * float64(u)
					}
				}
				round(s.query(os, row, head), sum)
				if ls != nil {
					ls[row*h+head] = float32(l)
				}
			}
		}
	}
}

// AttentionBackward writes dQ, dK, dV for the rows that segments name. With P the softmax,
//
//	dV = Pᵀ·dO    dP = dO·Vᵀ    dS = P·(dP - rowsum(P·dP))    dQ = scale·dS·K    dK = scale·dSᵀ·Q
//
// P and rowsum(P·dP) = rowsum(dO·O) are computed afresh in float64, so o and lse are not read.
func (*Backend) AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	const op = "AttentionBackward"
	s := heads{h, kh, d}
	rows, keys := extent(op, segs, s)
	dq, do, qs := floats(op, "dQ", dQ, rows*h*d), floats(op, "dO", dO, rows*h*d), floats(op, "q", q, rows*h*d)
	dk, ks := floats(op, "dK", dK, keys*kh*d), floats(op, "k", k, keys*kh*d)
	dv, vs := floats(op, "dV", dV, keys*kh*d), floats(op, "v", v, keys*kh*d)
	floats(op, "o", o, rows*h*d)
	floats(op, "lse", lse, rows*h)
	for _, g := range segs.List {
		if g.QLen != g.KLen {
			panic(fmt.Sprintf("%s: a segment of %d queries and %d keys; wanted equal ranges", op, g.QLen, g.KLen))
		}
		sumK, sumV := make([]float64, g.KLen*kh*d), make([]float64, g.KLen*kh*d)
		for i := range g.QLen {
			for head := range h {
				row := g.QStart + i
				qRow, doRow := s.query(qs, row, head), s.query(do, row, head)
				p, _ := s.softmax(qRow, ks, segs, g, i, head, float64(scale))
				dp, mean := make([]float64, len(p)), 0.0
				for j := range p {
					dp[j] = dot(doRow, s.key(vs, g.KStart+j, head))
					mean += p[j] * dp[j]
				}
				sumQ := make([]float64, d)
				for j := range p {
					ds := float64(scale) * p[j] * (dp[j] - mean)
					kRow, at := s.key(ks, g.KStart+j, head), (j*kh+head*kh/h)*d
					for e := range d {
						sumQ[e] += ds * float64(kRow[e])
						sumK[at+e] += ds * float64(qRow[e])
						sumV[at+e] += p[j] * float64(doRow[e])
					}
				}
				round(s.query(dq, row, head), sumQ)
			}
		}
		at := g.KStart * kh * d
		round(dk[at:], sumK)
		round(dv[at:], sumV)
	}
}
