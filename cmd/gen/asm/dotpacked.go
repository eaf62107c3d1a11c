package main

import (
	"math"
	"math/bits"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"tunebook/engine/backend"
)

const dotPackedSig = "func(k int, a *float32, codes *int32, scales *float32, c *float32, alpha, beta float32, n int)"

// emitDotPacked writes the kernels for products of one row by a packed weight: codes become numbers in registers. A lane
// sums what the same lane of the kernel dot1x… sums, so that the bits are those of the product by numbers.
func emitDotPacked(g *gen) {
	for _, q := range []backend.Quant{backend.Q8_0, backend.Q4_0, backend.NF4, backend.BF16} {
		emitPackedDot(g, q)
	}
}

func emitPackedDot(g *gen, q backend.Quant) {
	name := map[backend.Quant]string{backend.Q8_0: "dotQ8x4", backend.Q4_0: "dotQ4x4", backend.NF4: "dotNF4x4", backend.BF16: "dotBF16x4"}[q]
	four := q.PerWord() == 8
	var table, shift, order, back Mem
	if four {
		var levels, shifts, orders, backs [16]uint32
		for i, l := range q.Levels() {
			levels[i], shifts[i] = math.Float32bits(l), uint32(i%8*4)
			if g.wide() { // a broadcast of two words puts the second's codes into odd lanes
				shifts[i] = uint32(i / 2 * 4)
				orders[i] = uint32(i/2 + i%2*8)
				backs[orders[i]] = uint32(i)
			}
		}
		table, shift = g.lanes16(name+g.suffix+"levels", levels), g.lanes16(name+g.suffix+"shifts", shifts)
		if g.wide() {
			order, back = g.lanes16(name+g.suffix+"order", orders), g.lanes16(name+g.suffix+"back", backs)
		}
	}
	g.fn(name, dotPackedSig, "writes c[j] = alpha·Σ a[p]·w[j,p] + beta·c[j] for n ≤ 4 rows of a weight in "+q.String()+" of k numbers each, whole groups.")
	group := max(32, q.Block())
	k, n := g.ptr("k"), g.ptr("n")
	a := g.ptr("a")
	codeBytes := 4 * group / q.PerWord() // of a group
	ld := g.GP64()                       // bytes of codes of a row
	g.MOVQ(k, ld)
	if q == backend.BF16 {
		g.SHLQ(Imm(1), ld)
	} else if four {
		g.SHRQ(Imm(1), ld)
	}
	w := g.fourRows(g.ptr("codes"), ld, n)
	var s []GPVirtual
	if q != backend.BF16 {
		lds := g.GP64()
		g.MOVQ(k, lds)
		g.SHRQ(Imm(uint64(bits.TrailingZeros(uint(group))-2)), lds)
		s = g.fourRows(g.ptr("scales"), lds, n)
	}
	acc, scale := make([]VecVirtual, 4), make([]VecVirtual, 4)
	for j := range acc {
		acc[j] = g.vec()
		g.zero(acc[j])
		if s != nil && (g.wide() || j == 0) {
			scale[j] = g.vec()
		} else if s != nil {
			scale[j] = scale[0] // read again for every vector: there are few registers
		}
	}
	x, y := g.vec(), g.vec()
	var by, lo, hi, z, in VecVirtual
	if four {
		by, lo = g.vec(), g.vec()
		g.VMOVUPS(shift, by)
		g.VMOVUPS(table, lo)
		if g.wide() {
			in = g.vec()
			g.VMOVUPS(order, in)
		} else {
			hi, z = g.vec(), g.vec()
			g.VMOVUPS(table.Offset(32), hi)
		}
	}
	g.Label("loop")
	if s != nil && g.wide() {
		for j := range s {
			g.VBROADCASTSS(Mem{Base: s[j]}, scale[j])
			if four { // all that the codes of the block may stand for
				g.VMULPS(lo, scale[j], scale[j])
			}
		}
	}
	for j := range w { // the same place eight rows on
		for at := 0; at < codeBytes; at += 64 {
			g.PREFETCHT1(Mem{Base: w[j], Index: ld, Scale: 8, Disp: at})
		}
	}
	for i := 0; i < group; i += g.lanes {
		if in != nil {
			g.VPERMPS(Mem{Base: a, Disp: 4 * i}, in, x)
		} else {
			g.VMOVUPS(Mem{Base: a, Disp: 4 * i}, x)
		}
		for j := range w {
			at := Mem{Base: w[j], Disp: i * codeBytes / group}
			switch {
			case q == backend.BF16:
				g.VPMOVZXWD(at, y)
				g.VPSLLD(Imm(16), y, y)
			case !four:
				g.VPMOVSXBD(at, y)
				g.VCVTDQ2PS(y, y)
			case g.wide():
				g.VPBROADCASTQ(at, y)
				g.VPSRLVD(by, y, y)
				g.VPERMPS(scale[j], y, y)
			default:
				g.VPBROADCASTD(at, y)
				g.VPSRLVD(by, y, y)
				g.VPERMPS(hi, y, z)
				t := g.vec()
				g.VPERMPS(lo, y, t)
				g.VPSLLD(Imm(28), y, y)
				g.VBLENDVPS(y, z, t, y)
			}
			if s != nil && !(four && g.wide()) {
				if !g.wide() {
					g.VBROADCASTSS(Mem{Base: s[j]}, scale[j])
				}
				g.VMULPS(scale[j], y, y)
			}
			g.VFMADD231PS(x, y, acc[j])
		}
	}
	g.ADDQ(U32(uint32(4*group)), a)
	for j := range w {
		g.ADDQ(U32(uint32(codeBytes)), w[j])
		if s != nil {
			g.ADDQ(Imm(4), s[j])
		}
	}
	g.SUBQ(U32(uint32(group)), k)
	g.JNZ(label("loop"))
	if in != nil { // lanes in their order again
		g.VMOVUPS(back, in)
		for _, v := range acc {
			g.VPERMPS(v, in, v)
		}
	}
	g.storeDots(acc, n)
}

// fourRows returns where four rows begin. Those beyond n are row n-1 again: their sums are not stored.
func (g *gen) fourRows(first, stride, n GPVirtual) []GPVirtual {
	p := []GPVirtual{first}
	for j := 1; j < 4; j++ {
		r, step := g.GP64(), g.GP64()
		g.XORQ(step, step)
		g.CMPQ(n, Imm(uint64(j)))
		g.CMOVQGT(stride, step)
		g.MOVQ(p[j-1], r)
		g.ADDQ(step, r)
		p = append(p, r)
	}
	return p
}

// storeDots ends a function: it writes alpha times the sums of the lanes of n ≤ 4 vectors, plus beta·c, to c.
func (g *gen) storeDots(acc []VecVirtual, n GPVirtual) {
	g.sum4(acc)
	m := g.maskOf4(n)
	c := g.ptr("c")
	alpha, beta, old := g.XMM(), g.XMM(), g.XMM()
	pa, _ := g.Param("alpha").Resolve()
	pb, _ := g.Param("beta").Resolve()
	g.VBROADCASTSS(pa.Addr, alpha)
	g.VBROADCASTSS(pb.Addr, beta)
	word := g.GP32()
	g.MOVL(pb.Addr, word)
	v := acc[0].AsX()
	g.VMULPS(alpha, v, v)
	g.TESTL(word, word)
	g.JZ(label("over")) // the old c may be NaN
	g.load4(Mem{Base: c}, old, m)
	g.VFMADD231PS(beta, old, v)
	g.Label("over")
	g.store4(v, Mem{Base: c}, m)
	g.ret()
}
