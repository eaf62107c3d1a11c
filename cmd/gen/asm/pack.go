package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// emitPack writes the kernels that lay operands out for the tiles: as they are, rounded to bf16, and rounded with two
// along k in one word.
func emitPack(g *gen) {
	emitTranspose(g, "transpose", "")
	emitCopyLanes(g, "copyLanes", "")
	emitTranspose(g, "transposeRounded", "as bf16 in float32, ")
	emitCopyLanes(g, "copyLanesRounded", "as bf16 in float32, ")
	if g.wide() {
		emitTransposePairs(g)
		emitCopyPairs(g)
	}
}

// emitTranspose writes the transposing copy: blocks of lanes × lanes elements turn in registers.
func emitTranspose(g *gen, name, rounded string) {
	g.fn(name, "func(dst *float32, ldd int, src *float32, lds int, rows, blocks int)",
		"writes "+rounded+"dst[p·ldd+i] = src[i·lds+p] for p below blocks·lanes and every lane i; lanes at or beyond rows repeat row rows-1, rows ≥ 1.")
	load := func(p Register, v VecVirtual) { g.VMOVUPS(Mem{Base: p}, v) }
	if rounded != "" {
		round := g.rounder()
		load = func(p Register, v VecVirtual) {
			g.VMOVUPS(Mem{Base: p}, v)
			round(v)
		}
	}
	g.transpose(g.bytes(), load)
}

// emitTransposePairs writes the transposing copy that rounds: a block is lanes rows of 2·lanes elements.
func emitTransposePairs(g *gen) {
	g.fn("transposePairs", "func(dst *float32, ldd int, src *float32, lds int, rows, blocks int)",
		"writes the word dst[p·ldd+i] = src[i·lds+2p], src[i·lds+2p+1], rounded to bf16, for p below blocks·lanes and every lane i; lanes at or beyond rows repeat row rows-1, rows ≥ 1.")
	hi := g.vec()
	g.transpose(2*g.bytes(), func(p Register, v VecVirtual) {
		g.VMOVUPS(Mem{Base: p}, v)
		g.VMOVUPS(Mem{Base: p, Disp: g.bytes()}, hi)
		g.VCVTNE2PS2BF16(v, hi, v)
	})
}

// transpose is the body of the transposing copies. load fills a vector from a row, of which a block takes so many bytes.
func (g *gen) transpose(bytes int, load func(p Register, v VecVirtual)) {
	dst, ldd := g.ptr("dst"), g.stride("ldd")
	src, lds := g.ptr("src"), g.stride("lds")
	rows, blocks := g.ptr("rows"), g.ptr("blocks")
	n := g.lanes
	r := make([]VecVirtual, n)
	for i := range r {
		r[i] = g.vec()
	}
	p, step, zero := g.GP64(), g.GP64(), g.GP64()
	g.XORQ(zero, zero)
	g.Label("loop")
	g.MOVQ(src, p)
	g.MOVQ(lds, step)
	for i := range r {
		load(p, r[i])
		if i < n-1 {
			g.CMPQ(rows, Imm(uint64(i+1)))
			g.CMOVQLE(zero, step)
			g.ADDQ(step, p)
		}
	}
	for _, v := range g.turn(r) {
		g.VMOVUPS(v, Mem{Base: dst})
		g.ADDQ(ldd, dst)
	}
	g.ADDQ(U32(uint32(bytes)), src)
	g.DECQ(blocks)
	g.JNZ(label("loop"))
	g.ret()
}

// rounder returns what rounds a vector to bf16, to nearest with ties to even; NaN stays as it is.
func (g *gen) rounder() func(v VecVirtual) {
	below, one, upper := g.words(0x7fff), g.words(1), g.words(0xffff0000)
	t := g.vec()
	and := func(a, b, c Op) {
		if g.wide() {
			g.VPANDD(a, b, c)
		} else {
			g.VPAND(a, b, c)
		}
	}
	return func(v VecVirtual) {
		g.VPSRLD(Imm(16), v, t)
		and(one, t, t)
		g.VPADDD(below, t, t)
		g.VPADDD(v, t, t)
		const ordered = 7 // ORD_Q
		if g.wide() {
			k := g.K()
			g.VCMPPS(Imm(ordered), v, v, k)
			g.VPANDD(upper, t, k, v)
			return
		}
		and(upper, t, t)
		ok := g.vec()
		g.VCMPPS(Imm(ordered), v, v, ok)
		g.VBLENDVPS(ok, t, v, v)
	}
}

// words returns a vector with an integer in every lane.
func (g *gen) words(w uint32) VecVirtual {
	v, r := g.vec(), g.GP32()
	g.MOVL(U32(w), r)
	g.VMOVD(r, v.AsX())
	g.VPBROADCASTD(v.AsX(), v)
	return v
}

// turn transposes the square of registers r and returns its columns: unpacking 32-bit, then 64-bit, then 128-bit pieces.
func (g *gen) turn(r []VecVirtual) []VecVirtual {
	n := len(r)
	t := make([]VecVirtual, n)
	for i := 0; i < n; i += 2 {
		t[i], t[i+1] = g.vec(), g.vec()
		g.VUNPCKLPS(r[i+1], r[i], t[i])
		g.VUNPCKHPS(r[i+1], r[i], t[i+1])
	}
	u := make([]VecVirtual, n) // u[4q+c]: in every 128-bit piece s, column 4s+c of rows 4q … 4q+3
	for i := 0; i < n; i += 4 {
		for c := range 4 {
			u[i+c] = g.vec()
		}
		g.VUNPCKLPD(t[i+2], t[i], u[i])
		g.VUNPCKHPD(t[i+2], t[i], u[i+1])
		g.VUNPCKLPD(t[i+3], t[i+1], u[i+2])
		g.VUNPCKHPD(t[i+3], t[i+1], u[i+3])
	}
	out := make([]VecVirtual, n)
	for c := range 4 {
		if !g.wide() {
			out[c], out[4+c] = g.vec(), g.vec()
			g.VPERM2F128(Imm(0x20), u[4+c], u[c], out[c])
			g.VPERM2F128(Imm(0x31), u[4+c], u[c], out[4+c])
			continue
		}
		// even holds pieces 0, 2 of row groups 0 and 1 (and so on), odd pieces 1, 3.
		e01, o01, e23, o23 := g.vec(), g.vec(), g.vec(), g.vec()
		g.VSHUFF32X4(Imm(0x88), u[4+c], u[c], e01)
		g.VSHUFF32X4(Imm(0xdd), u[4+c], u[c], o01)
		g.VSHUFF32X4(Imm(0x88), u[12+c], u[8+c], e23)
		g.VSHUFF32X4(Imm(0xdd), u[12+c], u[8+c], o23)
		for i := range 4 {
			out[4*i+c] = g.vec()
		}
		g.VSHUFF32X4(Imm(0x88), e23, e01, out[c])
		g.VSHUFF32X4(Imm(0x88), o23, o01, out[4+c])
		g.VSHUFF32X4(Imm(0xdd), e23, e01, out[8+c])
		g.VSHUFF32X4(Imm(0xdd), o23, o01, out[12+c])
	}
	return out
}

// emitCopyLanes writes the straight copy of one vector per row.
func emitCopyLanes(g *gen, name, rounded string) {
	g.fn(name, "func(dst *float32, ldd int, src *float32, lds int, n, rows int)",
		"writes "+rounded+"dst[p·ldd+i] = src[p·lds+i] for rows ≥ 1 rows p and n lanes i, and zeros in the other lanes of the vector.")
	m := g.maskOf(g.ptr("n"))
	dst, ldd := g.ptr("dst"), g.stride("ldd")
	src, lds := g.ptr("src"), g.stride("lds")
	rows := g.ptr("rows")
	v := g.vec()
	round := func(VecVirtual) {}
	if rounded != "" {
		round = g.rounder()
	}
	g.Label("loop")
	g.load(Mem{Base: src}, v, m)
	g.ADDQ(lds, src)
	round(v)
	g.VMOVUPS(v, Mem{Base: dst})
	g.ADDQ(ldd, dst)
	g.DECQ(rows)
	g.JNZ(label("loop"))
	g.ret()
}

// emitCopyPairs writes the straight copy that rounds two rows into one of words.
func emitCopyPairs(g *gen) {
	g.fn("copyPairs", "func(dst *float32, ldd int, src *float32, lds int, n, rows int)",
		"writes the word dst[p·ldd+i] = src[2p·lds+i], src[(2p+1)·lds+i], rounded to bf16, for rows ≥ 1 rows of src and n lanes i, and zeros in the other lanes of the vector and for the row after an odd number of them.")
	m := g.maskOf(g.ptr("n"))
	dst, ldd := g.ptr("dst"), g.stride("ldd")
	src, lds := g.ptr("src"), g.stride("lds")
	rows := g.ptr("rows")
	lo, hi, order := g.vec(), g.vec(), g.vec()
	// order: word i of the result is element i of the lower half, then of the upper one.
	table := g.StaticGlobal("pairs")
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		g.AppendDatum(U32(uint32(i | (16+i)<<16)))
	}
	g.VMOVUPS(table, order)
	put := func() {
		g.VCVTNE2PS2BF16(lo, hi, lo)
		g.VPERMW(lo, order, lo)
		g.VMOVUPS(lo, Mem{Base: dst})
	}
	g.SUBQ(Imm(2), rows)
	g.JL(label("rest"))
	g.Label("loop")
	g.load(Mem{Base: src}, lo, m)
	g.load(Mem{Base: src, Index: lds, Scale: 1}, hi, m)
	g.LEAQ(Mem{Base: src, Index: lds, Scale: 2}, src)
	put()
	g.ADDQ(ldd, dst)
	g.SUBQ(Imm(2), rows)
	g.JGE(label("loop"))
	g.Label("rest")
	g.ADDQ(Imm(2), rows)
	g.JZ(label("end"))
	g.load(Mem{Base: src}, lo, m)
	g.zero(hi)
	put()
	g.Label("end")
	g.ret()
}
