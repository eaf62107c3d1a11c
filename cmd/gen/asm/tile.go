package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// tileHeights are the rows of the tiles: the largest and what its edges are cut into.
func (g *gen) tileHeights() []int {
	if g.wide() {
		return []int{14, 8, 4, 2, 1}
	}
	return []int{6, 4, 2, 1}
}

const tileSig = "func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, alpha, beta float32, n int)"

// emitTiles writes the micro-kernels of the matrix product: C tile = alpha·Σ a[p,i]·b[p,j] + beta·C.
func emitTiles(g *gen) {
	emitTileSet(g, "tile", "", func(a, b, acc Op) { g.VFMADD231PS(a, b, acc) }, g.wide())
}

// emitPairTiles writes the same for words that hold two bf16 each.
func emitPairTiles(g *gen) {
	if g.wide() {
		emitTileSet(g, "pairTile", ", where words are pairs of bf16 and their product the sum of two", g.VDPBF16PS, false)
	}
}

// emitTileSet writes the tiles of all heights. multiply adds the product of two vectors to a third. embedded says that the
// multiplication takes the element of a from memory: half as many instructions, which tells where another program shares the core.
func emitTileSet(g *gen, name, words string, multiply func(a, b, acc Op), embedded bool) {
	for _, h := range g.tileHeights() {
		for _, vecs := range []int{2, 1} {
			emitTile(g, name, words, h, vecs, multiply, embedded)
		}
	}
}

func emitTile(g *gen, name, words string, rows, vecs int, multiply func(a, b, acc Op), embedded bool) {
	if vecs == 2 {
		g.fn(fmt.Sprintf("%s%dx2v", name, rows), tileSig, fmt.Sprintf(
			"writes c[i,j] = alpha·Σ a[p,i]·b[p,j] + beta·c[i,j] for %d rows and %d columns; p runs over k rows of a and b%s. n is not used.", rows, vecs*g.lanes, words))
	} else {
		g.fn(fmt.Sprintf("%s%dx1v", name, rows), tileSig, fmt.Sprintf(
			"is %s%dx2v for n ≤ %d columns; it reads and writes no others.", name, rows, g.lanes))
	}
	var m *mask
	if vecs == 1 {
		m = g.maskOf(g.ptr("n"))
	}
	k := g.ptr("k")
	a, lda := g.ptr("a"), g.stride("lda")
	b, ldb := g.ptr("b"), g.stride("ldb")
	acc := make([][]VecVirtual, rows)
	for i := range acc {
		for range vecs {
			v := g.vec()
			g.zero(v)
			acc[i] = append(acc[i], v)
		}
	}
	x := make([]VecVirtual, vecs)
	for j := range x {
		x[j] = g.vec()
	}
	// Two broadcast registers in turn where they fit: the next load does not wait for the last product.
	t := []VecVirtual{g.vec()}
	if vecs == 2 && !embedded {
		t = append(t, g.vec())
	}
	// The tile of c is wanted last and mostly lies far away.
	if rows >= 4 {
		c, ldc := g.ptr("c"), g.stride("ldc")
		for i := range rows {
			for j := range vecs * g.bytes() / 64 {
				g.PREFETCHT0(Mem{Base: c, Disp: 64 * j})
			}
			if vecs*g.bytes() < 64 {
				g.PREFETCHT0(Mem{Base: c})
			}
			if i < rows-1 {
				g.ADDQ(ldc, c)
			}
		}
	}
	step := func() {
		for j := range x {
			g.load(Mem{Base: b, Disp: j * g.bytes()}, x[j], m)
		}
		if rows >= 4 {
			g.PREFETCHT0(Mem{Base: b, Index: ldb, Scale: 8})
			if vecs == 2 && g.wide() {
				g.PREFETCHT0(Mem{Base: b, Index: ldb, Scale: 8, Disp: 64})
			}
		}
		for i := range rows {
			if embedded {
				for j := range x {
					g.VFMADD231PS_BCST(Mem{Base: a, Disp: 4 * i}, x[j], acc[i][j])
				}
				continue
			}
			r := t[i%len(t)]
			g.VBROADCASTSS(Mem{Base: a, Disp: 4 * i}, r)
			for j := range x {
				multiply(x[j], r, acc[i][j])
			}
		}
		g.ADDQ(lda, a)
		g.ADDQ(ldb, b)
	}
	const unroll = 4
	g.SUBQ(Imm(unroll), k)
	g.JL(label("rest"))
	g.Label("loop")
	for range unroll {
		step()
	}
	g.SUBQ(Imm(unroll), k)
	g.JGE(label("loop"))
	g.Label("rest")
	g.ADDQ(Imm(unroll), k)
	g.JZ(label("store"))
	g.Label("one")
	step()
	g.DECQ(k)
	g.JNZ(label("one"))

	g.Label("store")
	c, ldc := g.ptr("c"), g.stride("ldc")
	alpha := x[0]
	p, _ := g.Param("alpha").Resolve()
	g.VBROADCASTSS(p.Addr, alpha)
	for i := range acc {
		for j := range acc[i] {
			g.VMULPS(alpha, acc[i][j], acc[i][j])
		}
	}
	beta := x[0]
	p, _ = g.Param("beta").Resolve()
	g.VBROADCASTSS(p.Addr, beta)
	bits := g.GP32()
	g.MOVL(p.Addr, bits)
	g.TESTL(bits, bits)
	g.JZ(label("over")) // the old c may be NaN
	old := t[0]
	for i := range acc {
		for j := range acc[i] {
			at := Mem{Base: c, Disp: j * g.bytes()}
			g.load(at, old, m)
			g.VFMADD231PS(beta, old, acc[i][j])
			g.store(acc[i][j], at, m)
		}
		if i < rows-1 {
			g.ADDQ(ldc, c)
		}
	}
	g.ret()
	g.Label("over")
	for i := range acc {
		for j := range acc[i] {
			g.store(acc[i][j], Mem{Base: c, Disp: j * g.bytes()}, m)
		}
		if i < rows-1 {
			g.ADDQ(ldc, c)
		}
	}
	g.ret()
}
