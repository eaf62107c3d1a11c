package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const dotSig = "func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, alpha, beta float32, n int, ahead *float32)"

// emitDotRows writes the kernels for products with few rows, where packing would cost more than it saves: both
// operands are read once, along k.
func emitDotRows(g *gen) {
	rows, cols := 2, 4
	if g.wide() {
		rows, cols = 3, 8
	}
	for m := 1; m <= rows; m++ {
		emitDotRow(g, m, cols)
	}
}

func emitDotRow(g *gen, rows, cols int) {
	g.fn(fmt.Sprintf("dot%dx%d", rows, cols), dotSig, fmt.Sprintf(
		"writes c[i,j] = alpha·Σ a[i,p]·b[j,p] + beta·c[i,j] for %d rows of a and n ≤ %d rows of b of k elements each. Meanwhile it fetches as many bytes at ahead as %d rows have into the second cache.",
		rows, cols, cols/rows))
	k := g.ptr("k")
	n := g.ptr("n")
	a, lda := g.ptr("a"), g.stride("lda")
	// Rows of b beyond n are read as row n-1: their sums are not stored.
	ldb := g.stride("ldb")
	b := []GPVirtual{g.ptr("b")}
	for j := 1; j < cols; j++ {
		r, step := g.GP64(), g.GP64()
		g.XORQ(step, step)
		g.CMPQ(n, Imm(uint64(j)))
		g.CMOVQGT(ldb, step)
		g.MOVQ(b[j-1], r)
		g.ADDQ(step, r)
		b = append(b, r)
	}
	ahead := g.ptr("ahead")
	acc := make([][]VecVirtual, rows)
	for i := range acc {
		for range cols {
			v := g.vec()
			g.zero(v)
			acc[i] = append(acc[i], v)
		}
	}
	x := make([]VecVirtual, rows)
	for i := range x {
		x[i] = g.vec()
	}
	y := g.vec()
	step := func(m *mask) {
		for i := range x {
			at := Mem{Base: a}
			if i > 0 {
				at.Index, at.Scale = lda, uint8(i)
			}
			g.load(at, x[i], m)
		}
		for j := range cols {
			g.load(Mem{Base: b[j]}, y, m)
			for i := range x {
				g.VFMADD231PS(y, x[i], acc[i][j])
			}
		}
		if m == nil {
			for i := 0; rows > 1 && i < cols/rows*g.bytes(); i += 64 {
				g.PREFETCHT1(Mem{Base: ahead, Disp: i})
			}
			g.ADDQ(U32(uint32(cols/rows*g.bytes())), ahead)
			g.ADDQ(U32(uint32(g.bytes())), a)
			for j := range b {
				g.ADDQ(U32(uint32(g.bytes())), b[j])
			}
		}
	}
	g.SUBQ(U32(uint32(g.lanes)), k)
	g.JL(label("rest"))
	g.Label("loop")
	step(nil)
	g.SUBQ(U32(uint32(g.lanes)), k)
	g.JGE(label("loop"))
	g.Label("rest")
	g.ADDQ(U32(uint32(g.lanes)), k)
	g.JZ(label("sum"))
	step(g.maskOf(k))
	g.Label("sum")
	n = g.ptr("n")
	var m *mask
	if cols == 4 {
		m = g.maskOf4(n)
	} else {
		m = g.maskOf(n)
	}
	c, ldc := g.ptr("c"), g.stride("ldc")
	wide := func(v VecVirtual) Register {
		if cols == 4 {
			return v.AsX()
		}
		return half(v)
	}
	alpha, beta, old := g.vec(), g.vec(), g.vec()
	pa, _ := g.Param("alpha").Resolve()
	pb, _ := g.Param("beta").Resolve()
	g.VBROADCASTSS(pa.Addr, wide(alpha))
	g.VBROADCASTSS(pb.Addr, wide(beta))
	bits := g.GP32()
	g.MOVL(pb.Addr, bits)
	for i := range acc {
		if cols == 4 {
			g.sum4(acc[i])
		} else {
			g.sum8(acc[i])
		}
		v := wide(acc[i][0])
		g.VMULPS(wide(alpha), v, v)
		g.TESTL(bits, bits)
		g.JZ(label("over%d", i)) // the old c may be NaN
		g.load4(Mem{Base: c}, wide(old), m)
		g.VFMADD231PS(wide(beta), wide(old), v)
		g.Label(fmt.Sprintf("over%d", i))
		g.store4(v, Mem{Base: c}, m)
		if i < rows-1 {
			g.ADDQ(ldc, c)
		}
	}
	g.ret()
}

// sum8 puts the sums of the lanes of eight vectors of 16 into the first eight lanes of the first, added in sum4's order.
func (g *gen) sum8(acc []VecVirtual) {
	add := func(lo, hi VecVirtual) VecVirtual {
		g.VADDPS(hi, lo, lo)
		return lo
	}
	halves := func(a, b VecVirtual) VecVirtual { // of a, then of b
		lo, hi := g.vec(), g.vec()
		g.VSHUFF64X2(Imm(0x44), b, a, lo)
		g.VSHUFF64X2(Imm(0xee), b, a, hi)
		return add(lo, hi)
	}
	pairs := func(a, b VecVirtual) VecVirtual {
		lo, hi := g.vec(), g.vec()
		g.VUNPCKLPS(b, a, lo)
		g.VUNPCKHPS(b, a, hi)
		return add(lo, hi)
	}
	r := pairs(halves(acc[0], acc[4]), halves(acc[1], acc[5]))
	s := pairs(halves(acc[2], acc[6]), halves(acc[3], acc[7]))
	lo, hi := g.vec(), g.vec()
	g.VUNPCKLPD(s, r, lo)
	g.VUNPCKHPD(s, r, hi)
	v := add(lo, hi)
	even, odd := g.vec(), g.vec() // quarters
	g.VSHUFF32X4(Imm(0x88), v, v, even)
	g.VSHUFF32X4(Imm(0xdd), v, v, odd)
	g.VADDPS(half(odd), half(even), half(acc[0]))
}

// sum4 puts the sums of the lanes of four vectors into the first four lanes of the first.
func (g *gen) sum4(acc []VecVirtual) {
	if g.wide() {
		for _, v := range acc {
			h := g.YMM()
			g.VEXTRACTF64X4(Imm(1), v, h)
			g.VADDPS(h, half(v), half(v))
		}
	}
	r := g.pairs(half(acc[0]), half(acc[1]))
	s := g.pairs(half(acc[2]), half(acc[3]))
	lo, hi := g.YMM(), g.YMM()
	g.VUNPCKLPD(s, r, lo)
	g.VUNPCKHPD(s, r, hi)
	g.VADDPS(hi, lo, lo)
	h := g.XMM()
	g.extract128(lo, h)
	g.VADDPS(h, lo.AsX(), acc[0].AsX())
}

// pairs returns, in every 128-bit piece, a0+a2, b0+b2, a1+a3, b1+b3.
func (g *gen) pairs(a, b Register) Register {
	lo, hi := g.YMM(), g.YMM()
	g.VUNPCKLPS(b, a, lo)
	g.VUNPCKHPS(b, a, hi)
	g.VADDPS(hi, lo, lo)
	return lo
}

// maskOf4 is maskOf for vectors of four lanes.
func (g *gen) maskOf4(n Register) *mask {
	if g.wide() {
		return g.maskOf(n)
	}
	p, off := g.GP64(), g.GP64()
	g.LEAQ(g.masks, p)
	g.MOVQ(n, off)
	g.SHLQ(Imm(2), off)
	g.SUBQ(off, p)
	m := g.XMM()
	g.VMOVUPS(Mem{Base: p, Disp: 32}, m)
	return &mask{v: m}
}

func (g *gen) load4(m Mem, v Register, k *mask) {
	if g.wide() {
		g.VMOVUPS_Z(m, k.k, v)
	} else {
		g.VMASKMOVPS(m, k.v, v)
	}
}

func (g *gen) store4(v Register, m Mem, k *mask) {
	if g.wide() {
		g.VMOVUPS(v, k.k, m)
	} else {
		g.VMASKMOVPS(v, k.v, m)
	}
}
