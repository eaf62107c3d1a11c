package cuda

import (
	"fmt"
	"runtime"
	"slices"

	"tunebook/engine/backend"
)

// tileRows is how many queries, or keys, a block of attention.cu works on, flashRows of flash.cu; blockRows how many of the
// others it holds at a time.
const (
	tileRows  = 16
	flashRows = 64
	blockRows = 32
)

// documents are the tables of Segments on one card, one for each size of tile that its kernels have asked for.
type documents struct {
	b  *Backend
	of []*tables
}

// Release gives the memory of the tables back.
func (d *documents) Release() {
	d.b.mu.Lock()
	defer d.b.mu.Unlock()
	for _, t := range d.of {
		if t.queries != 0 {
			t.lost.Stop()
			d.b.dev.free(t.queries)
		}
	}
	d.of = nil
}

// tables are what the kernels know of Segments: the tiles of queries and of keys, on the card.
type tables struct {
	each         int    // rows of a tile
	queries      uint64 // (n, 5): row, rows, first row of the other side, its length, place in the segment
	leads        uint64 // (n): keys before those of the segment's first query
	firsts       uint64 // (n): the first tile of the segment's keys
	nq           int
	keys         uint64
	nk           int
	rows, extent int             // of q and of k that segments reach over
	equal        int             // index of the first segment whose queries and keys differ in number, -1 for none
	lost         runtime.Cleanup // gives the memory back where nobody has released it
}

// tables returns the tables of segs, made at their first use here.
func (b *Backend) tables(op string, segs *backend.Segments, each int) *tables {
	d, ok := segs.Dev.(*documents)
	if !ok || d.b != b {
		d = &documents{b: b}
		segs.Dev = d
	}
	if i := slices.IndexFunc(d.of, func(t *tables) bool { return t.each == each }); i >= 0 {
		return d.of[i]
	}
	if segs.Window < 0 {
		panic(fmt.Sprintf("%s: a window of %d keys; wanted 0 (all) or more", op, segs.Window))
	}
	t := &tables{each: each, equal: -1}
	var queries, leads, firsts, keys []int32
	for i, g := range segs.List {
		if g.QStart < 0 || g.QLen < 0 || g.KStart < 0 || g.KLen < g.QLen {
			panic(fmt.Sprintf("%s: segment %d is %+v; wanted starts and lengths of 0 or more and KLen ≥ QLen", op, i, g))
		}
		if g.QLen != g.KLen && t.equal < 0 {
			t.equal = i
		}
		if g.QLen > 0 {
			t.rows, t.extent = max(t.rows, g.QStart+g.QLen), max(t.extent, g.KStart+g.KLen)
		}
		for at := 0; at < g.QLen; at += each {
			queries = append(queries, int32(g.QStart+at), int32(min(each, g.QLen-at)), int32(g.KStart), int32(g.KLen), int32(at))
			leads = append(leads, int32(g.KLen-g.QLen))
			firsts = append(firsts, int32(len(keys)/5))
		}
		if g.QLen > 0 {
			for at := 0; at < g.KLen; at += each {
				keys = append(keys, int32(g.KStart+at), int32(min(each, g.KLen-at)), int32(g.QStart), int32(g.QLen), int32(at))
			}
		}
	}
	t.nq, t.nk = len(leads), len(keys)/5
	if each == tileRows90 {
		longestFirst(queries, leads, firsts, segs)
	}
	all := slices.Concat(queries, keys, leads, firsts)
	if len(all) > 0 {
		b.mu.Lock()
		b.sweep()
		addr, err := b.dev.alloc(4 * len(all))
		if err == nil {
			err = b.dev.upload(addr, bytesOf(all))
			t.lost = runtime.AddCleanup(t, b.discard, addr)
		}
		b.fail2(err)
		b.mu.Unlock()
		t.queries, t.keys, t.leads = addr, addr+uint64(4*len(queries)), addr+uint64(4*(len(queries)+len(keys)))
		t.firsts = t.leads + uint64(4*len(leads))
	}
	d.of = append(d.of, t)
	return t
}

// discard remembers memory that the next call gives back.
func (b *Backend) discard(addr uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.garbage = append(b.garbage, addr)
}

// attentionKernels are those for one head size: the name in front of _forward_ and the like, the size behind, the rows of a
// tile, and the shared memory of each in bytes.
type attentionKernels struct {
	name           string
	size, each     int
	forward, q, kv int
}

const bytesOfFloat = 4

// short tells whether no segment has as many queries as pay for rounding all keys and values: a step of generation.
func short(segs *backend.Segments) bool {
	for _, g := range segs.List {
		if g.QLen > 8 {
			return false
		}
	}
	return true
}

func (k attentionKernels) kernel(way string) string {
	return fmt.Sprintf("%s_%s_%d", k.name, way, k.size)
}

// heads packs n rows of heads of d elements as the kernels want them.
func (b *Backend) heads(x span, n, d, size int) uint64 { return b.packed(x, n, d, n, size, false) }

// attention picks the kernels for a head size.
func (b *Backend) attention(op string, segs *backend.Segments, h, kh, d int) attentionKernels {
	if kh <= 0 || h%kh != 0 {
		panic(fmt.Sprintf("%s: %d query heads over %d key-value heads; wanted a multiple", op, h, kh))
	}
	if d > 256 {
		panic(fmt.Sprintf("%s: head size %d; wanted at most 256", op, d))
	}
	size := 32
	for size < d {
		size *= 2
	}
	if b.bf16 && size <= 128 && (b.packAlways || !short(segs)) {
		row := 2 * (size + 8)                       // bytes of a row in shared memory
		passing := 4 * flashRows * row              // two places of keys and values of 64 rows, or a tile's own rows and two places of 32
		numbers := 2 * 2 * blockRows * bytesOfFloat // lse and delta of two places
		return attentionKernels{"flash", size, flashRows, passing, passing, passing + numbers}
	}
	rows, weights := 4*blockRows*(d+1), 4*tileRows*blockRows
	return attentionKernels{"attention", size, tileRows, 4*tileRows*d + weights + 2*rows, 8*tileRows*d + weights + 2*rows, 8*tileRows*d + 2*weights + 2*rows}
}

// AttentionForward writes o = softmax(scale·q·kᵀ)·v per segment and head, and lse where it is not nil.
func (b *Backend) AttentionForward(o, lse, q, k, v backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	if b.on90(segs, d, scale) {
		b.forward90(o, lse, q, k, v, segs, h, kh, d, scale)
		return
	}
	x := operands{b, "AttentionForward"}
	kernels := b.attention(x.op, segs, h, kh, d)
	t := b.tables(x.op, segs, kernels.each)
	os, ls := x.f("o", o, t.rows*h*d), x.maybe("lse", lse, t.rows*h)
	qs, ks, vs := x.read("q", q, t.rows*h*d), x.read("k", k, t.extent*kh*d), x.read("v", v, t.extent*kh*d)
	if t.nq == 0 {
		return
	}
	in := []uint64{os, ls, qs.addr, ks.addr, vs.addr}
	if kernels.name == "flash" {
		in = []uint64{os, ls, b.heads(qs, t.rows*h, d, kernels.size), b.heads(ks, t.extent*kh, d, kernels.size), b.heads(vs, t.extent*kh, d, kernels.size)}
	}
	b.launch(kernels.kernel("forward"), [3]int{t.nq, h, 1}, [3]int{128, 1, 1}, kernels.forward,
		append(in, t.queries, t.leads, i32(h), i32(kh), i32(d), f32(scale), i32(segs.Window), truth(segs.Full))...)
}

// wantEqual panics where a segment's queries and keys differ in number.
func (t *tables) wantEqual(op string, segs *backend.Segments) {
	if t.equal >= 0 {
		g := segs.List[t.equal]
		panic(fmt.Sprintf("%s: a segment of %d queries and %d keys; wanted equal ranges", op, g.QLen, g.KLen))
	}
}

// AttentionBackward writes dQ, dK, dV for the rows that segments name.
func (b *Backend) AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, segs *backend.Segments, h, kh, d int, scale float32) {
	if b.on90(segs, d, scale) {
		b.backward90(dQ, dK, dV, dO, q, k, v, o, lse, segs, h, kh, d, scale)
		return
	}
	x := operands{b, "AttentionBackward"}
	kernels := b.attention(x.op, segs, h, kh, d)
	t := b.tables(x.op, segs, kernels.each)
	t.wantEqual(x.op, segs)
	nq, nk := t.rows*h*d, t.extent*kh*d
	dq, dk, dv := x.f("dQ", dQ, nq), x.f("dK", dK, nk), x.f("dV", dV, nk)
	do, qs, os, ls := x.read("dO", dO, nq), x.read("q", q, nq), x.read("o", o, nq).addr, x.read("lse", lse, t.rows*h).addr
	ks, vs := x.read("k", k, nk), x.read("v", v, nk)
	if t.nq == 0 {
		return
	}
	delta, free := b.scratch(t.rows * h)
	defer free()
	last := []uint64{i32(h), i32(kh), i32(d), f32(scale), i32(segs.Window), truth(segs.Full)}
	in := []uint64{do.addr, qs.addr, ks.addr, vs.addr}
	forQ := []uint64{dq, delta, do.addr, qs.addr, ks.addr, vs.addr, os, ls, t.queries}
	if kernels.name == "flash" {
		in = []uint64{b.heads(do, t.rows*h, d, kernels.size), b.heads(qs, t.rows*h, d, kernels.size), b.heads(ks, t.extent*kh, d, kernels.size), b.heads(vs, t.extent*kh, d, kernels.size)}
		forQ = []uint64{dq, delta, in[0], in[1], in[2], in[3], ls, t.queries}
		b.launch("flash_delta", [3]int{t.nq, h, 1}, [3]int{128, 1, 1}, 0, delta, do.addr, os, t.queries, i32(h), i32(d))
	}
	b.launch(kernels.kernel("backward_q"), [3]int{t.nq, h, 1}, [3]int{128, 1, 1}, kernels.q, append(forQ, last...)...)
	b.launch(kernels.kernel("backward_kv"), [3]int{t.nk, kh, 1}, [3]int{128, 1, 1}, kernels.kv, append(append([]uint64{dk, dv, delta}, in...), append([]uint64{ls, t.keys}, last...)...)...)
}
