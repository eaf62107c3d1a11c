package cuda

import (
	"fmt"
	"slices"

	"tunebook/engine/backend"
)

// How many queries, or keys, a tile of flash90.cu has, and its stages of keys and values.
const (
	tileRows90 = 128
	stages90   = 2
)

// on90 tells whether attention runs on the kernels for compute capability 9.0.
func (b *Backend) on90(segs *backend.Segments, d int, scale float32) bool {
	return b.bf16 && (b.packAlways || !short(segs)) && b.dev.arch() == "sm_90a" && d > 32 && d <= 128 && scale > 0
}

// longestFirst sorts tiles of queries by the blocks of keys that they see, so that a card's last blocks are short ones.
func longestFirst(queries, leads, firsts []int32, segs *backend.Segments) {
	type tile struct {
		query       [5]int32
		lead, first int32
		keys        int
	}
	all := make([]tile, len(leads))
	for i := range all {
		q := [5]int32(queries[5*i:])
		n := int(leads[i] + q[4] + q[1]) // its last query sees those up to itself
		if segs.Full {
			n = int(q[3])
		}
		if segs.Window > 0 {
			n = min(n, 2*segs.Window+tileRows90)
		}
		all[i] = tile{q, leads[i], firsts[i], n}
	}
	slices.SortStableFunc(all, func(a, b tile) int { return b.keys - a.keys })
	for i, t := range all {
		copy(queries[5*i:], t.query[:])
		leads[i], firsts[i] = t.lead, t.first
	}
}

// size90 is the head size that the kernels are compiled for.
func size90(d int) int {
	if d <= 64 {
		return 64
	}
	return 128
}

// forward90 is AttentionForward on compute capability 9.0.
func (b *Backend) forward90(o, lse, q, k, v backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	x := operands{b, "AttentionForward"}
	if kh <= 0 || h%kh != 0 {
		panic(fmt.Sprintf("%s: %d query heads over %d key-value heads; wanted a multiple", x.op, h, kh))
	}
	t := b.tables(x.op, segs, tileRows90)
	os, ls := x.f("o", o, t.rows*h*d), x.maybe("lse", lse, t.rows*h)
	qs, ks, vs := x.read("q", q, t.rows*h*d).addr, x.read("k", k, t.extent*kh*d).addr, x.read("v", v, t.extent*kh*d).addr
	if t.nq == 0 {
		return
	}
	size := size90(d)
	tile := tileRows90 * size // elements
	pk, freeK := b.scratch(kh * t.nk * tile / 2)
	defer freeK()
	pv, freeV := b.scratch(kh * t.nk * tile / 2)
	defer freeV()
	b.launch(fmt.Sprintf("flash90_pack_%d", size), [3]int{t.nk, kh, 2}, [3]int{256, 1, 1}, 0, pk, pv, ks, vs, t.keys, i32(kh), i32(d))
	shared := 1024 + 2*tile*(1+2*stages90) + 8*4*stages90
	b.launch(fmt.Sprintf("flash90_forward_%d", size), [3]int{t.nq * h, 1, 1}, [3]int{384, 1, 1}, shared, os, ls, qs, pk, pv, t.queries, t.leads, t.firsts,
		i32(t.nk), i32(h), i32(kh), i32(d), f32(scale), i32(segs.Window), truth(segs.Full))
}
