package main

import (
	"math"
	"math/bits"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"tunebook/engine/backend"
)

const expandSig = "func(dst *float32, ldd int, codes *int32, scales *float32, ld, groups, rows int)"

// emitExpand writes the kernels that turn codes of quantised weights into numbers.
func emitExpand(g *gen) {
	emitExpand8(g)
	emitExpand4(g, "expandQ4", "q4_0", backend.Q4_0)
	emitExpand4(g, "expandNF4", "nf4", backend.NF4)
	emitExpand16(g)
}

// expandRows emits the loops over rows and groups. A group takes codeBytes bytes of codes, elements numbers and, where
// scaled, a scale; group emits the work of one.
func (g *gen) expandRows(elements, codeBytes int, scaled bool, group func(dst, codes Register, scale Mem)) {
	dst, ldd := g.ptr("dst"), g.stride("ldd")
	codes, scales := g.ptr("codes"), g.ptr("scales")
	ld, groups, rows := g.ptr("ld"), g.ptr("groups"), g.ptr("rows")
	codeStep, scaleStep := g.GP64(), g.GP64()
	g.MOVQ(ld, codeStep)
	g.SHLQ(Imm(uint64(bits.TrailingZeros(uint(codeBytes)))), codeStep) // a power of two
	g.MOVQ(ld, scaleStep)
	g.SHLQ(Imm(2), scaleStep)
	d, c, s, n := g.GP64(), g.GP64(), g.GP64(), g.GP64()
	g.Label("row")
	g.MOVQ(dst, d)
	g.MOVQ(codes, c)
	g.MOVQ(scales, s)
	g.MOVQ(groups, n)
	g.Label("group")
	g.PREFETCHT0(Mem{Base: c, Disp: 2048}) // what comes next lies behind, beyond what the processor fetches by itself
	group(d, c, Mem{Base: s})
	g.ADDQ(U32(uint32(4*elements)), d)
	g.ADDQ(U32(uint32(codeBytes)), c)
	if scaled {
		g.ADDQ(Imm(4), s)
	}
	g.DECQ(n)
	g.JNZ(label("group"))
	g.ADDQ(ldd, dst)
	g.ADDQ(codeStep, codes)
	if scaled {
		g.ADDQ(scaleStep, scales)
	}
	g.DECQ(rows)
	g.JNZ(label("row"))
	g.ret()
}

func emitExpand8(g *gen) {
	g.fn("expandQ8", expandSig, "writes rows ≥ 1 rows of groups ≥ 1 blocks of 32 numbers: scale · code of 8 bits.")
	x, scale := g.vec(), g.vec()
	g.expandRows(32, 32, true, func(dst, codes Register, at Mem) {
		g.VBROADCASTSS(at, scale)
		for i := 0; i < 32; i += g.lanes {
			g.VPMOVSXBD(Mem{Base: codes, Disp: i}, x)
			g.VCVTDQ2PS(x, x)
			g.VMULPS(scale, x, x)
			g.VMOVUPS(x, Mem{Base: dst, Disp: 4 * i})
		}
	})
}

func emitExpand16(g *gen) {
	g.fn("expandBF16", expandSig, "writes rows ≥ 1 rows of groups ≥ 1 times 32 numbers of 16 bits. scales is not used.")
	x := g.vec()
	g.expandRows(32, 64, false, func(dst, codes Register, _ Mem) {
		for i := 0; i < 32; i += g.lanes {
			g.VPMOVZXWD(Mem{Base: codes, Disp: 2 * i}, x)
			g.VPSLLD(Imm(16), x, x)
			g.VMOVUPS(x, Mem{Base: dst, Disp: 4 * i})
		}
	})
}

// lanes16 declares 16 words of read-only data.
func (g *gen) lanes16(name string, w [16]uint32) Mem {
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for _, v := range w {
		g.AppendDatum(U32(v))
	}
	return m
}

func emitExpand4(g *gen, name, form string, q backend.Quant) {
	var levels, shifts [16]uint32
	for i, l := range q.Levels() {
		levels[i] = math.Float32bits(l)
		shifts[i] = uint32(i % 8 * 4)
	}
	table, shift := g.lanes16(name+g.suffix+"levels", levels), g.lanes16(name+g.suffix+"shifts", shifts)
	g.fn(name, expandSig, "writes rows ≥ 1 rows of groups ≥ 1 blocks of "+form+": scale · level of the code of 4 bits.")
	by, scale, x := g.vec(), g.vec(), g.vec()
	lo := g.vec()
	g.VMOVUPS(shift, by)
	g.VMOVUPS(table, lo)
	var hi, y, z VecVirtual
	var upper Register
	if g.wide() {
		upper = g.K()
		w := g.GP32()
		g.MOVL(U32(0xff00), w)
		g.KMOVW(w, upper)
	} else {
		hi, y, z = g.vec(), g.vec(), g.vec()
		g.VMOVUPS(table.Offset(32), hi)
	}
	n := q.Block()
	g.expandRows(n, n/2, true, func(dst, codes Register, at Mem) {
		g.VBROADCASTSS(at, scale)
		for i := 0; i < n; i += g.lanes {
			g.VPBROADCASTD(Mem{Base: codes, Disp: i / 2}, x)
			if g.wide() {
				g.VPBROADCASTD(Mem{Base: codes, Disp: i/2 + 4}, upper, x)
				g.VPSRLVD(by, x, x)
				g.VPERMPS(lo, x, x)
			} else { // eight levels a table; bit 3 says which
				g.VPSRLVD(by, x, x)
				g.VPERMPS(hi, x, y)
				g.VPERMPS(lo, x, z)
				g.VPSLLD(Imm(28), x, x)
				g.VBLENDVPS(x, y, z, x)
			}
			g.VMULPS(scale, x, x)
			g.VMOVUPS(x, Mem{Base: dst, Disp: 4 * i})
		}
	})
}
