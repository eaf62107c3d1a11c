package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// emitPack writes the kernels that lay operands out for the tiles.
func emitPack(g *gen) {
	emitTranspose(g)
	emitCopyLanes(g)
}

// emitTranspose writes the transposing copy: blocks of lanes × lanes elements turn in registers.
func emitTranspose(g *gen) {
	g.fn("transpose", "func(dst *float32, ldd int, src *float32, lds int, rows, blocks int)",
		"writes dst[p·ldd+i] = src[i·lds+p] for p below blocks·lanes and every lane i; lanes at or beyond rows repeat row rows-1, rows ≥ 1.")
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
		g.VMOVUPS(Mem{Base: p}, r[i])
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
	g.ADDQ(U32(uint32(g.bytes())), src)
	g.DECQ(blocks)
	g.JNZ(label("loop"))
	g.ret()
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
func emitCopyLanes(g *gen) {
	g.fn("copyLanes", "func(dst *float32, ldd int, src *float32, lds int, n, rows int)",
		"writes dst[p·ldd+i] = src[p·lds+i] for rows ≥ 1 rows p and n lanes i, and zeros in the other lanes of the vector.")
	m := g.maskOf(g.ptr("n"))
	dst, ldd := g.ptr("dst"), g.stride("ldd")
	src, lds := g.ptr("src"), g.stride("lds")
	rows := g.ptr("rows")
	v := g.vec()
	g.Label("loop")
	g.load(Mem{Base: src}, v, m)
	g.ADDQ(lds, src)
	g.VMOVUPS(v, Mem{Base: dst})
	g.ADDQ(ldd, dst)
	g.DECQ(rows)
	g.JNZ(label("loop"))
	g.ret()
}
