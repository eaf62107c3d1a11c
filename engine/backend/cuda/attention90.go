package cuda

import (
	"fmt"
	"slices"

	"tunebook/engine/backend"
)

// How many queries, or keys, a tile of flash90.cuh has, and the stages of what passes in flash90.cu and back90.cu.
const (
	tileRows90   = 128
	stages90     = 2
	backStages90 = 3
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

// kernels90 are those for one head size and one set of segments.
type kernels90 struct {
	b                *Backend
	t                *tables
	size, tile       int // the head size that they are compiled for, the elements of a tile of that size
	h, kh, d, window int
	scale            float32
	full             bool
}

func (b *Backend) kernels90(op string, segs *backend.Segments, h, kh, d int, scale float32) kernels90 {
	if kh <= 0 || h%kh != 0 {
		panic(fmt.Sprintf("%s: %d query heads over %d key-value heads; wanted a multiple", op, h, kh))
	}
	size := 64
	if d > size {
		size = 128
	}
	return kernels90{b, b.tables(op, segs, tileRows90), size, tileRows90 * size, h, kh, d, segs.Window, scale, segs.Full}
}

// scratch is memory for tiles of bf16 of some heads.
func (k kernels90) scratch(heads int) (addr uint64, free func()) {
	return k.b.scratch(heads * k.t.nk * k.tile / 2)
}

// launch starts the kernel of that name in front of the head size.
func (k kernels90) launch(name string, grid [3]int, threads, shared int, args ...uint64) {
	k.b.launch(fmt.Sprintf("%s_%d", name, k.size), grid, [3]int{threads, 1, 1}, shared, args...)
}

// attend starts one of the kernels that multiply, for blocks of it; shared is what their tiles and numbers take.
func (k kernels90) attend(name string, blocks, shared, barriers int, args ...uint64) {
	const slack = 1024 // tiles begin at multiples of this
	k.launch(name, [3]int{blocks, 1, 1}, 384, slack+shared+8*barriers,
		append(args, i32(k.t.nk), i32(k.h), i32(k.kh), i32(k.d), f32(k.scale), i32(k.window), truth(k.full))...)
}

// forward90 is AttentionForward on compute capability 9.0.
func (b *Backend) forward90(o, lse, q, k, v backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	x := operands{b, "AttentionForward"}
	ks := b.kernels90(x.op, segs, h, kh, d, scale)
	t := ks.t
	os, ls := x.f("o", o, t.rows*h*d), x.maybe("lse", lse, t.rows*h)
	qs, fromK, fromV := x.read("q", q, t.rows*h*d).addr, x.read("k", k, t.extent*kh*d).addr, x.read("v", v, t.extent*kh*d).addr
	if t.nq == 0 {
		return
	}
	pk, freeK := ks.scratch(kh)
	defer freeK()
	pv, freeV := ks.scratch(kh)
	defer freeV()
	ks.launch("flash90_pack", [3]int{t.nk, kh, 2}, 256, 0, pk, pv, fromK, fromV, t.keys, 0, i32(kh), i32(d))
	ks.attend("flash90_forward", t.nq*h, 2*ks.tile*(1+2*stages90), 4*stages90, os, ls, qs, pk, pv, t.queries, t.leads, t.firsts)
}

// backward90 is AttentionBackward on compute capability 9.0.
func (b *Backend) backward90(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	x := operands{b, "AttentionBackward"}
	ks := b.kernels90(x.op, segs, h, kh, d, scale)
	t := ks.t
	t.wantEqual(x.op, segs)
	nq, nk := t.rows*h*d, t.extent*kh*d
	dq, dk, dv := x.f("dQ", dQ, nq), x.f("dK", dK, nk), x.f("dV", dV, nk)
	do, qs, os, ls := x.read("dO", dO, nq).addr, x.read("q", q, nq).addr, x.read("o", o, nq).addr, x.read("lse", lse, t.rows*h).addr
	fromK, fromV := x.read("k", k, nk).addr, x.read("v", v, nk).addr
	if t.nq == 0 {
		return
	}
	var packed [4]uint64 // q, dO, k, v
	for i, heads := range []int{h, h, kh, kh} {
		addr, free := ks.scratch(heads)
		defer free()
		packed[i] = addr
	}
	more, free := b.scratch(2 * h * t.nk * tileRows90)
	defer free()
	ks.launch("flash90_pack", [3]int{t.nk, kh, 2}, 256, 0, packed[2], packed[3], fromK, fromV, t.keys, 0, i32(kh), i32(d))
	ks.launch("flash90_pack", [3]int{t.nq, h, 1}, 256, 0, packed[0], packed[0], qs, qs, t.queries, t.firsts, i32(h), i32(d))
	ks.launch("back90_gradient", [3]int{t.nq, h, 1}, 256, 0, packed[1], more, do, os, ls, t.queries, t.firsts, i32(h), i32(d))
	tiles := 2*2*ks.tile + 2*ks.tile*backStages90 // two of its own, and two halves for each stage
	ks.attend("back90_q", t.nq*h, tiles, 2*backStages90+1, dq, packed[0], packed[1], more, packed[2], packed[3], t.queries, t.firsts)
	ks.attend("back90_kv", t.nk*kh, tiles+4*tileRows90*backStages90, 2*backStages90+1, dk, dv, packed[0], packed[1], more, packed[2], packed[3], t.keys)
}
