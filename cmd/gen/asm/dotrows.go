package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// emitDotRows writes the kernels for products with few rows, where packing would cost more than it saves: both
// operands are read once, along k.
func emitDotRows(g *gen) {
	n := 2
	if g.wide() {
		n = 4
	}
	for m := 1; m <= n; m++ {
		emitDotRow(g, m)
	}
}

func emitDotRow(g *gen, rows int) {
	g.fn(fmt.Sprintf("dot%dx4", rows), tileSig, fmt.Sprintf(
		"writes c[i,j] = alpha·Σ a[i,p]·b[j,p] + beta·c[i,j] for %d rows of a and n ≤ 4 rows of b of k elements each.", rows))
	k := g.ptr("k")
	n := g.ptr("n")
	a, lda := g.ptr("a"), g.stride("lda")
	// Rows of b beyond n are read as row n-1: their sums are not stored.
	ldb := g.stride("ldb")
	b := []GPVirtual{g.ptr("b")}
	for j := 1; j < 4; j++ {
		r, step := g.GP64(), g.GP64()
		g.XORQ(step, step)
		g.CMPQ(n, Imm(uint64(j)))
		g.CMOVQGT(ldb, step)
		g.MOVQ(b[j-1], r)
		g.ADDQ(step, r)
		b = append(b, r)
	}
	acc := make([][]VecVirtual, rows)
	for i := range acc {
		for range 4 {
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
	// Addresses of the rows of a: base, base+lda, base+2·lda, base+3·lda.
	at := func(i int) Mem {
		m := Mem{Base: a}
		switch i {
		case 1:
			m.Index, m.Scale = lda, 1
		case 2:
			m.Index, m.Scale = lda, 2
		}
		return m
	}
	lda3 := g.GP64()
	if rows == 4 {
		g.MOVQ(lda, lda3)
		g.ADDQ(lda, lda3)
		g.ADDQ(lda, lda3)
	}
	step := func(m *mask) {
		for i := range x {
			if i == 3 {
				g.load(Mem{Base: a, Index: lda3, Scale: 1}, x[i], m)
				continue
			}
			g.load(at(i), x[i], m)
		}
		for j := range 4 {
			g.load(Mem{Base: b[j]}, y, m)
			for i := range x {
				g.VFMADD231PS(y, x[i], acc[i][j])
			}
		}
		if m == nil {
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
	for i := range acc {
		g.sum4(acc[i])
	}
	m := g.maskOf4(n)
	c, ldc := g.ptr("c"), g.stride("ldc")
	alpha, beta, old := g.XMM(), g.XMM(), g.XMM()
	pa, _ := g.Param("alpha").Resolve()
	pb, _ := g.Param("beta").Resolve()
	g.VBROADCASTSS(pa.Addr, alpha)
	g.VBROADCASTSS(pb.Addr, beta)
	bits := g.GP32()
	g.MOVL(pb.Addr, bits)
	for i := range acc {
		v := acc[i][0].AsX()
		g.VMULPS(alpha, v, v)
		g.TESTL(bits, bits)
		g.JZ(label("over%d", i)) // the old c may be NaN
		g.load4(Mem{Base: c}, old, m)
		g.VFMADD231PS(beta, old, v)
		g.Label(fmt.Sprintf("over%d", i))
		g.store4(v, Mem{Base: c}, m)
		if i < rows-1 {
			g.ADDQ(ldc, c)
		}
	}
	g.ret()
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
