package main

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A product in whole numbers multiplies blocks of 32 codes. The rows of A lie as records of nine words a block: 32 codes plus
// 128, which makes them unsigned as VPDPBUSD wants, and their scale. The rows of B lie in panels of 32: for each block eight
// rows of 32 words of four codes, and apart from them a row of scales and one of whole numbers, -128·Σ codes, with which sums
// begin, so that the 128 leaves no trace.
const (
	int8Block  = 32
	int8Record = 9 // words
	int8Width  = 32
)

// int8Heights are the rows of the tiles: sums in whole numbers and in float32 of 7 × 2 vectors, two of B and a broadcast fill the
// registers.
var int8Heights = []int{7, 4, 2, 1}

// emitInt8 writes what products in whole numbers are made of; for AVX2 those of one row.
func emitInt8(g *gen) {
	emitInt8Round(g)
	if !g.wide() {
		emitMaddDot(g, false)
		emitMaddDot(g, true)
		return
	}
	emitInt8Sums(g)
	for _, rows := range int8Heights {
		emitInt8Tile(g, rows)
	}
	emitInt8Dot(g)
	emitInt4Pairs(g)
	emitInt4Dot(g)
	emitInt4Bytes(g)
}

// VPDPBUSD adds to every lane of acc the four products of the unsigned bytes of a with the signed ones of b. avo does not know it;
// Go's assembler does.
func (g *gen) VPDPBUSD(b, a, acc Op) {
	g.Instruction(&ir.Instruction{Opcode: "VPDPBUSD", Operands: []Op{b, a, acc}, Inputs: []Op{b, a, acc}, Outputs: []Op{acc}})
}

// everyLane declares a constant that stands in every word of 64 bytes.
func (g *gen) everyLane(name string, w uint32) Mem {
	var ws [16]uint32
	for i := range ws {
		ws[i] = w
	}
	return g.lanes16(name+g.suffix, ws)
}

func emitInt8Round(g *gen) {
	signs := g.everyLane("int8Magnitude", 0x7fffffff)
	top127 := g.everyLane("int8Top", 0x42fe0000) // 127
	more := uint32(128)                          // of words, or of bytes
	if !g.wide() {
		more = 0x80808080
	}
	offset := g.everyLane("int8Offset", more)
	g.fn("roundInt8", "func(dst, x *float32, blocks int)",
		"writes the records of blocks ≥ 1 blocks of 32 numbers: codes plus 128, and the scale; see backend.RoundInt8. The codes of a block whose scale is 0 or NaN are of any value.")
	dst, x, n := g.ptr("dst"), g.ptr("x"), g.ptr("blocks")
	abs, add, x127 := g.vec(), g.vec(), g.XMM()
	g.VMOVUPS(signs, abs)
	g.VMOVUPS(offset, add)
	g.VMOVUPS(top127, x127)
	v := make([]VecVirtual, int8Block/g.lanes)
	for i := range v {
		v[i] = g.vec()
	}
	a, b := g.vec(), g.vec()
	inverse, scale := g.XMM(), g.XMM()
	bits := g.GP32()
	var order VecVirtual
	if !g.wide() {
		order = g.vec()
		g.VMOVUPS(g.lanes16("int8Packed"+g.suffix, [16]uint32{0, 4, 1, 5, 2, 6, 3, 7}), order)
	}
	g.Label("block")
	for i := range v {
		g.VMOVUPS(Mem{Base: x, Disp: g.bytes() * i}, v[i])
	}
	// As whole numbers magnitudes have the same order, and NaN is the largest.
	for i := range v {
		to := b
		if i == 0 {
			to = a
		}
		if g.wide() {
			g.VPANDD(abs, v[i], to)
		} else {
			g.VPAND(abs, v[i], to)
		}
		if i > 0 {
			g.VPMAXSD(b, a, a)
		}
	}
	if g.wide() {
		h := g.YMM()
		g.VEXTRACTI64X4(Imm(1), a, h)
		g.VPMAXSD(h, half(a), half(a))
	}
	q := g.XMM()
	g.VEXTRACTI128(Imm(1), half(a), q)
	top := a.AsX()
	g.VPMAXSD(q, top, top)
	g.VPSHUFD(Imm(0x4e), top, q)
	g.VPMAXSD(q, top, top)
	g.VPSHUFD(Imm(0xb1), top, q)
	g.VPMAXSD(q, top, top)
	g.VDIVSS(top, x127, inverse)
	g.VDIVSS(x127, top, scale)
	f := g.vec()
	g.VBROADCASTSS(inverse, f)
	for i := range v {
		g.VMULPS(f, v[i], v[i])
		g.VCVTPS2DQ(v[i], v[i])
		if g.wide() {
			g.VPADDD(add, v[i], v[i])
			g.VPMOVDB(v[i], Mem{Base: dst, Disp: 16 * i})
		}
	}
	if !g.wide() {
		g.VPACKSSDW(v[1], v[0], v[0])
		g.VPACKSSDW(v[3], v[2], v[2])
		g.VPACKSSWB(v[2], v[0], v[0])
		g.VPERMD(v[0], order, v[0]) // packing mixes the halves of vectors
		g.VPADDB(add, v[0], v[0])
		g.VMOVUPS(v[0], Mem{Base: dst})
	}
	g.VMOVSS(scale, Mem{Base: dst, Disp: int8Block})
	g.VMOVD(inverse, bits)
	g.SUBL(Imm(1), bits)
	g.CMPL(bits, U32(0x7f7fffff))
	g.JAE(label("odd")) // the inverse is 0, infinite or NaN
	g.Label("next")
	g.ADDQ(U32(4*int8Block), x)
	g.ADDQ(U32(4*int8Record), dst)
	g.DECQ(n)
	g.JNZ(label("block"))
	g.ret()
	g.Label("odd")
	w := g.GP32()
	g.XORL(w, w)
	g.CMPL(bits, U32(0x7f7fffff)) // zeros, or too small for an inverse
	g.JE(label("put"))
	g.MOVL(U32(0x7fc00000), w)
	g.Label("put")
	g.MOVL(w, Mem{Base: dst, Disp: int8Block})
	g.JMP(label("next"))
}

func emitInt8Sums(g *gen) {
	ones := g.everyLane("int8Bytes", 0x80808080)
	g.fn("sumInt8", "func(s, b *float32, blocks int)",
		"writes, in the second half of each of blocks ≥ 1 rows of 64 words at s, -128 times the sum of the codes of each row of a panel.")
	s, b, n := g.ptr("s"), g.ptr("b"), g.ptr("blocks")
	one, zero := g.vec(), g.vec()
	g.VMOVUPS(ones, one)
	g.zero(zero)
	acc := []VecVirtual{g.vec(), g.vec()}
	g.Label("block")
	for j := range acc {
		g.zero(acc[j])
		for w := range int8Block / 4 {
			t := g.vec()
			g.VMOVUPS(Mem{Base: b, Disp: (w*2 + j) * 64}, t)
			g.VPDPBUSD(t, one, acc[j])
		}
		g.VPSUBD(acc[j], zero, acc[j])
		g.VMOVUPS(acc[j], Mem{Base: s, Disp: 128 + 64*j})
	}
	g.ADDQ(U32(4*int8Width*int8Block/4), b)
	g.ADDQ(U32(8*int8Width), s)
	g.DECQ(n)
	g.JNZ(label("block"))
	g.ret()
}

func emitInt8Tile(g *gen, rows int) {
	g.fn(fmt.Sprintf("int8Tile%d", rows), "func(blocks int, a *float32, lda int, b, s, c *float32, ldc int, alpha, beta float32)",
		fmt.Sprintf("writes c[i,j] = alpha·Σ a[i,p]·b[j,p] + beta·c[i,j] for %d rows of records and the 32 rows of a panel, over blocks ≥ 1 blocks; s holds the panel's scales and beginnings.", rows))
	n := g.ptr("blocks")
	lda := g.stride("lda")
	var a []GPVirtual // every third row
	for i := 0; i < rows; i += 3 {
		p := g.GP64()
		if i == 0 {
			p = g.ptr("a")
		} else {
			g.LEAQ(Mem{Base: a[len(a)-1], Index: lda, Scale: 2}, p)
			g.ADDQ(lda, p)
		}
		a = append(a, p)
	}
	row := func(i, disp int) Mem {
		m := Mem{Base: a[i/3], Disp: disp}
		if i%3 > 0 {
			m.Index, m.Scale = lda, uint8(i%3)
		}
		return m
	}
	b, s := g.ptr("b"), g.ptr("s")
	sums, whole := make([][2]VecVirtual, rows), make([][2]VecVirtual, rows)
	for i := range sums {
		for j := range 2 {
			sums[i][j], whole[i][j] = g.vec(), g.vec()
			g.zero(sums[i][j])
		}
	}
	x := [2]VecVirtual{g.vec(), g.vec()}
	t := g.vec()
	c, ldc := g.ptr("c"), g.stride("ldc")
	p := g.GP64() // the tile of c is wanted last and mostly lies far away
	g.MOVQ(c, p)
	for i := range rows {
		g.PREFETCHT0(Mem{Base: p})
		g.PREFETCHT0(Mem{Base: p, Disp: 64})
		if i < rows-1 {
			g.ADDQ(ldc, p)
		}
	}
	g.Label("block")
	for i := range rows {
		for j := range 2 {
			g.VMOVUPS(Mem{Base: s, Disp: 128 + 64*j}, whole[i][j])
		}
	}
	for w := range int8Block / 4 {
		for j := range 2 {
			g.VMOVUPS(Mem{Base: b, Disp: (w*2 + j) * 64}, x[j])
		}
		for i := range rows {
			g.VPBROADCASTD(row(i, 4*w), t)
			for j := range 2 {
				g.VPDPBUSD(x[j], t, whole[i][j])
			}
		}
	}
	for j := range 2 {
		g.VMOVUPS(Mem{Base: s, Disp: 64 * j}, x[j])
	}
	for i := range rows {
		for j := range 2 {
			g.VCVTDQ2PS(whole[i][j], whole[i][j])
			g.VMULPS_BCST(row(i, int8Block), x[j], t)
			g.VFMADD231PS(t, whole[i][j], sums[i][j])
		}
	}
	for i := range a {
		g.ADDQ(U32(4*int8Record), a[i])
	}
	g.ADDQ(U32(4*int8Width*int8Block/4), b)
	g.ADDQ(U32(8*int8Width), s)
	g.DECQ(n)
	g.JNZ(label("block"))

	alpha := x[0]
	pa, _ := g.Param("alpha").Resolve()
	g.VBROADCASTSS(pa.Addr, alpha)
	for i := range sums {
		for j := range 2 {
			g.VMULPS(alpha, sums[i][j], sums[i][j])
		}
	}
	beta := x[0]
	pb, _ := g.Param("beta").Resolve()
	g.VBROADCASTSS(pb.Addr, beta)
	bits := g.GP32()
	g.MOVL(pb.Addr, bits)
	g.TESTL(bits, bits)
	g.JZ(label("over")) // the old c may be NaN
	g.MOVQ(c, p)
	for i := range sums {
		for j := range 2 {
			g.VFMADD231PS(Mem{Base: p, Disp: 64 * j}, beta, sums[i][j])
		}
		if i < rows-1 {
			g.ADDQ(ldc, p)
		}
	}
	g.Label("over")
	for i := range sums {
		for j := range 2 {
			g.VMOVUPS(sums[i][j], Mem{Base: c, Disp: 64 * j})
		}
		if i < rows-1 {
			g.ADDQ(ldc, c)
		}
	}
	g.ret()
}

// emitInt8Dot writes the kernel for one row of records by rows of codes as they lie. Here it is the weight's codes that become
// unsigned, so that what sums begin with is the same for all rows.
func emitInt8Dot(g *gen) {
	flip := g.everyLane("int8Flip", 0x80808080)
	g.rowDot("dotInt8x4", "a row of records and n ≤ 4 rows of codes", int8Block, 1, int8Record, func() func(a Register, rows []dotRow) {
		top, zero := g.YMM(), g.YMM()
		g.VMOVUPS(flip, top)
		g.VPXORD(zero, zero, zero)
		x, begin, scale, t := g.YMM(), g.YMM(), g.YMM(), g.YMM()
		return func(a Register, rows []dotRow) {
			g.VPXORD(Mem{Base: a}, top, x) // signed again
			g.VPXORD(begin, begin, begin)
			g.VPDPBUSD(x, top, begin)
			g.VPSUBD(begin, zero, begin)
			g.VBROADCASTSS(Mem{Base: a, Disp: int8Block}, scale)
			for _, r := range rows {
				g.PREFETCHT1(Mem{Base: r.codes, Index: r.ld, Scale: 8})
				u, sum := g.YMM(), g.YMM()
				g.VPXORD(Mem{Base: r.codes}, top, u)
				g.VMOVDQA32(begin, sum)
				g.VPDPBUSD(x, u, sum)
				g.VCVTDQ2PS(sum, sum)
				g.VMULPS_BCST(Mem{Base: r.scales}, scale, t)
				g.VFMADD231PS(t, sum, half(r.acc))
			}
		}
	})
}

// dotRow is a row of a weight in a kernel of rowDot: where its codes and scales are, how many bytes its codes take, and its sums.
type dotRow struct {
	codes, scales, ld GPVirtual
	acc               VecVirtual
}

// rowDot writes a kernel that multiplies one row of A by up to four rows of codes, bytes a block: step blocks and words of A at a time. begin loads what
// does not change and returns what writes a step.
func (g *gen) rowDot(name, what string, bytes, step, words int, begin func() func(a Register, rows []dotRow)) {
	more := "blocks ≥ 1 blocks"
	if step > 1 {
		more += fmt.Sprintf(", a multiple of %d", step)
	}
	g.fn(name, "func(blocks int, a *float32, codes *int32, scales, c *float32, alpha, beta float32, n int)",
		"writes c[j] = alpha·Σ a[p]·w[j,p] + beta·c[j] for "+what+" and scales, over "+more+".")
	blocks, n, a := g.ptr("blocks"), g.ptr("n"), g.ptr("a")
	ld, lds := g.GP64(), g.GP64()
	g.MOVQ(blocks, ld)
	g.SHLQ(Imm(uint64(bits.TrailingZeros(uint(bytes)))), ld)
	g.MOVQ(blocks, lds)
	g.SHLQ(Imm(2), lds)
	w, s := g.fourRows(g.ptr("codes"), ld, n), g.fourRows(g.ptr("scales"), lds, n)
	acc, rows := make([]VecVirtual, 4), make([]dotRow, 4)
	for j := range rows {
		acc[j] = g.vec()
		g.zero(acc[j])
		rows[j] = dotRow{w[j], s[j], ld, acc[j]}
	}
	each := begin()
	g.Label("step")
	each(a, rows)
	g.ADDQ(U32(uint32(4*words)), a)
	for j := range w {
		g.ADDQ(U32(uint32(step*bytes)), w[j])
		g.ADDQ(U32(uint32(4*step)), s[j])
	}
	g.SUBQ(U32(uint32(step)), blocks)
	g.JNZ(label("step"))
	g.storeDots(acc, n)
}

// emitMaddDot writes dotInt8x4 and dotInt4x4 for AVX2, both for records. Its products are of unsigned bytes by signed ones, two of
// which are added in 16 bits: magnitudes of a weight's codes by codes of A with the others' signs, at most 2·128·127, so that no
// sum saturates. Codes of 4 bits are unsigned as they lie, 8 too much.
func emitMaddDot(g *gen, four bool) {
	name, what, bytes := "dotInt8x4", "codes", int8Block
	if four {
		name, what, bytes = "dotInt4x4", "codes of 4 bits", int8Block/2
	}
	suffix := name + g.suffix
	flip, each := g.lanes8(suffix+"flip", 0x80808080), g.lanes8(suffix+"ones", 0x00010001)
	var offset, low, shift, order Mem
	if four {
		offset, low = g.lanes8(suffix+"offset", 0x08080808), g.lanes8(suffix+"low", 0x0f0f0f0f)
		shift = g.lanes16(suffix+"shift", [16]uint32{4: 4, 6: 4})
		order = g.lanes16(suffix+"order", [16]uint32{0x06040200, 0x0e0c0a08, 0x07050301, 0x0f0d0b09, 0x06040200, 0x0e0c0a08, 0x07050301, 0x0f0d0b09})
	}
	g.rowDot(name, "a row of records and n ≤ 4 rows of "+what, bytes, 1, int8Record, func() func(a Register, rows []dotRow) {
		ones, x, scale, less, t, u := g.vec(), g.vec(), g.vec(), g.vec(), g.vec(), g.vec()
		g.VMOVUPS(each, ones)
		return func(a Register, rows []dotRow) {
			g.VMOVUPS(Mem{Base: a}, x)
			g.VPXOR(flip, x, x) // signed again
			if four {
				g.VPSHUFB(order, x, x) // even codes are the lower halves of the block's bytes, the odd ones the upper halves
				g.VPERMQ(Imm(0xd8), x, x)
				g.VMOVUPS(offset, t)
				g.VPMADDUBSW(x, t, less)
				g.VPMADDWD(ones, less, less)
			}
			g.VBROADCASTSS(Mem{Base: a, Disp: int8Block}, scale)
			for _, r := range rows {
				if four {
					g.VBROADCASTI128(Mem{Base: r.codes}, u)
					g.VPSRLVQ(shift, u, u)
					g.VPAND(low, u, u)
					g.VPMADDUBSW(x, u, t)
					g.VPMADDWD(ones, t, t)
					g.VPSUBD(less, t, t)
				} else {
					g.VMOVUPS(Mem{Base: r.codes}, u)
					g.VPSIGNB(u, x, t)
					g.VPABSB(u, u)
					g.VPMADDUBSW(t, u, t)
					g.VPMADDWD(ones, t, t)
				}
				g.VCVTDQ2PS(t, t)
				g.VBROADCASTSS(Mem{Base: r.scales}, u)
				g.VMULPS(scale, u, u)
				g.VFMADD231PS(u, t, r.acc)
			}
		}
	})
}

// lanes8 declares a constant that stands in every word of a vector of AVX2.
func (g *gen) lanes8(name string, w uint32) Mem {
	return g.lanes16(name, [16]uint32{w, w, w, w, w, w, w, w})
}

// int4Pair is how many words two blocks of A take beside codes of 4 bits: 64 codes with sign, the even ones of both blocks and then
// the odd ones; their scales, word for word; what sums begin with. Even codes of the weight are the lower halves of its bytes. The odd ones
// stay in the upper halves, 16 times as large, and the scales make up for that.
const int4Pair = 48

func emitInt4Pairs(g *gen) {
	flip := g.everyLane("int4Flip", 0x80808080)
	var order, quads, offsets, factors [16]uint32
	for i := range 16 {
		order[i] = []uint32{0x06040200, 0x0e0c0a08, 0x07050301, 0x0f0d0b09}[i%4]
		offsets[i], factors[i] = 0x08080808, math.Float32bits(1)
		if i >= 8 {
			offsets[i], factors[i] = 0x80808080, math.Float32bits(1./16)
		}
	}
	for i, q := range []uint32{0, 2, 4, 6, 1, 3, 5, 7} {
		quads[2*i] = q
	}
	shuffle, permute := g.lanes16("int4Order"+g.suffix, order), g.lanes16("int4Quads"+g.suffix, quads)
	more, factor := g.lanes16("int4Offsets"+g.suffix, offsets), g.lanes16("int4Factors"+g.suffix, factors)
	g.fn("pairInt4", "func(dst, a *float32, pairs int)", "writes pairs ≥ 1 pairs of blocks of records at a as dotInt4x4 wants them.")
	dst, a, n := g.ptr("dst"), g.ptr("a"), g.ptr("pairs")
	bits := g.GP32()
	second := g.K() // lanes of the second block
	g.MOVL(U32(0xf0f0), bits)
	g.KMOVW(bits, second)
	sign, in, over, offset, zero := g.vec(), g.vec(), g.vec(), g.vec(), g.vec()
	g.VMOVUPS(flip, sign)
	g.VMOVUPS(shuffle, in)
	g.VMOVUPS(permute, over)
	g.VMOVUPS(more, offset)
	g.zero(zero)
	x, begin, scale := g.vec(), g.vec(), g.vec()
	g.Label("pair")
	g.VMOVUPS(Mem{Base: a}, half(x))
	g.VINSERTI64X4(Imm(1), Mem{Base: a, Disp: 4 * int8Record}, x, x)
	g.VPXORD(sign, x, x) // signed again
	g.VPSHUFB(in, x, x)
	g.VPERMQ(x, over, x)
	g.VMOVUPS(x, Mem{Base: dst})
	g.VBROADCASTSS(Mem{Base: a, Disp: int8Block}, scale)
	g.VBROADCASTSS(Mem{Base: a, Disp: int8Block + 4*int8Record}, second, scale)
	g.VMULPS(factor, scale, scale)
	g.VMOVUPS(scale, Mem{Base: dst, Disp: 64})
	g.zero(begin)
	g.VPDPBUSD(x, offset, begin)
	g.VPSUBD(begin, zero, begin)
	g.VMOVUPS(begin, Mem{Base: dst, Disp: 128})
	g.ADDQ(U32(2*4*int8Record), a)
	g.ADDQ(U32(4*int4Pair), dst)
	g.DECQ(n)
	g.JNZ(label("pair"))
	g.ret()
}

func emitInt4Dot(g *gen) {
	var masks, selects [16]uint32
	for i := range 16 {
		masks[i], selects[i] = 0x0f0f0f0f, uint32(i/4%2)
		if i >= 8 {
			masks[i] = 0xf0f0f0f0
		}
	}
	keep, control := g.lanes16("int4Masks"+g.suffix, masks), g.lanes16("int4Selects"+g.suffix, selects)
	g.rowDot("dotInt4x4", "a row of pairs of blocks (pairInt4) and n ≤ 4 rows of codes of 4 bits", int8Block/2, 2, int4Pair, func() func(a Register, rows []dotRow) {
		mask, which := g.vec(), g.vec()
		g.VMOVUPS(keep, mask)
		g.VMOVUPS(control, which)
		x, scale, begin := g.vec(), g.vec(), g.vec()
		return func(a Register, rows []dotRow) {
			g.VMOVUPS(Mem{Base: a}, x)
			g.VMOVUPS(Mem{Base: a, Disp: 64}, scale)
			g.VMOVUPS(Mem{Base: a, Disp: 128}, begin)
			for _, r := range rows {
				u, sum, t := g.vec(), g.vec(), g.vec()
				g.PREFETCHT0(Mem{Base: r.codes, Index: r.ld, Scale: 4})
				g.VBROADCASTI64X4(Mem{Base: r.codes}, u)
				g.VPANDD(mask, u, u)
				g.VMOVDQA32(begin, sum)
				g.VPDPBUSD(x, u, sum)
				g.VCVTDQ2PS(sum, sum)
				g.VBROADCASTSD(Mem{Base: r.scales}, t)
				g.VPERMILPS(which, t, t)
				g.VMULPS(scale, t, t)
				g.VFMADD231PS(t, sum, r.acc)
			}
		}
	})
}

// emitInt4Bytes writes the kernel that turns codes of 4 bits into those of 8 for panels.
func emitInt4Bytes(g *gen) {
	low, less := g.everyLane("bytesLow", 0x0f0f0f0f), g.everyLane("bytesOffset", 0x08080808)
	g.fn("bytesInt4", "func(dst *float32, codes *int32, blocks int)", "writes the codes of blocks ≥ 1 blocks of 32 codes of 4 bits, less 8, as bytes.")
	dst, codes, blocks := g.ptr("dst"), g.ptr("codes"), g.ptr("blocks")
	mask, eight := g.XMM(), g.XMM()
	g.VMOVUPS(low, mask)
	g.VMOVUPS(less, eight)
	lo, hi, t := g.XMM(), g.XMM(), g.XMM()
	g.Label("block")
	g.VMOVUPS(Mem{Base: codes}, lo)
	g.VPSRLQ(Imm(4), lo, hi)
	g.VPANDD(mask, lo, lo)
	g.VPANDD(mask, hi, hi)
	g.VPUNPCKLBW(hi, lo, t)
	g.VPUNPCKHBW(hi, lo, hi)
	g.VPSUBB(eight, t, t)
	g.VPSUBB(eight, hi, hi)
	g.VMOVUPS(t, Mem{Base: dst})
	g.VMOVUPS(hi, Mem{Base: dst, Disp: 16})
	g.ADDQ(U32(int8Block/2), codes)
	g.ADDQ(U32(int8Block), dst)
	g.DECQ(blocks)
	g.JNZ(label("block"))
	g.ret()
}
