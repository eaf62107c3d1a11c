package main

import (
	. "github.com/mmcloughlin/avo/operand"
)

// emitSoftmax writes the kernels of softmax along rows (cross-entropy, decoding) and along the columns of a tile
// of two vectors (attention, where every lane is a query).
func emitSoftmax(g *gen) {
	g.fn("maxRow", "func(x *float32, n int) (ret float32)", "returns the largest of n ≥ 1 elements.")
	m := g.vec()
	x := g.ptr("x")
	g.VBROADCASTSS(Mem{Base: x}, m)
	g.vectorLoop([]string{"x"}, func(at []Mem, k *mask) {
		v := g.loaded(at[0], k)
		g.maxInto(m, v, k)
	})
	g.retFloat(g.reduce(m, g.vmax))

	g.fn("expRow", "func(y, x *float32, sub float32, n int) (ret float32)", "writes y = exp(x - sub) and returns its sum.")
	sub := g.broadcast("sub")
	acc := g.vec()
	g.zero(acc)
	g.vectorLoop([]string{"y", "x"}, func(at []Mem, k *mask) {
		v := g.loaded(at[1], k)
		g.VSUBPS(sub, v, v)
		g.exp(v)
		g.store(v, at[0], k)
		g.keep(v, k)
		g.VADDPS(v, acc, acc)
	})
	g.retFloat(g.reduce(acc, g.add))

	g.fn("maxColumns", "func(m, s *float32, rows int)", "raises m to the largest element of each column of s, a tile of rows ≥ 1 rows and two vectors.")
	mp, s, rows := g.ptr("m"), g.ptr("s"), g.ptr("rows")
	m0, m1 := g.loaded(Mem{Base: mp}, nil), g.loaded(Mem{Base: mp, Disp: g.bytes()}, nil)
	g.Label("loop")
	g.VMAXPS(Mem{Base: s}, m0, m0)
	g.VMAXPS(Mem{Base: s, Disp: g.bytes()}, m1, m1)
	g.ADDQ(U32(uint32(2*g.bytes())), s)
	g.DECQ(rows)
	g.JNZ(label("loop"))
	g.VMOVUPS(m0, Mem{Base: mp})
	g.VMOVUPS(m1, Mem{Base: mp, Disp: g.bytes()})
	g.ret()

	g.fn("expColumns", "func(l, s, m *float32, rows int)",
		"writes s = exp(s - m) for a tile of rows ≥ 1 rows and two vectors and adds the sum of each column to l.")
	lp, mp := g.ptr("l"), g.ptr("m")
	s, rows = g.ptr("s"), g.ptr("rows")
	m0, m1 = g.loaded(Mem{Base: mp}, nil), g.loaded(Mem{Base: mp, Disp: g.bytes()}, nil)
	l0, l1 := g.loaded(Mem{Base: lp}, nil), g.loaded(Mem{Base: lp, Disp: g.bytes()}, nil)
	g.Label("loop")
	v0, v1 := g.loaded(Mem{Base: s}, nil), g.loaded(Mem{Base: s, Disp: g.bytes()}, nil)
	g.VSUBPS(m0, v0, v0)
	g.VSUBPS(m1, v1, v1)
	g.exp(v0)
	g.exp(v1)
	g.VADDPS(v0, l0, l0)
	g.VADDPS(v1, l1, l1)
	g.VMOVUPS(v0, Mem{Base: s})
	g.VMOVUPS(v1, Mem{Base: s, Disp: g.bytes()})
	g.ADDQ(U32(uint32(2*g.bytes())), s)
	g.DECQ(rows)
	g.JNZ(label("loop"))
	g.VMOVUPS(l0, Mem{Base: lp})
	g.VMOVUPS(l1, Mem{Base: lp, Disp: g.bytes()})
	g.ret()

	g.fn("softmaxGrad", "func(s, dp, lse, delta *float32, scale float32, rows int)",
		"writes s = exp(s - lse) and dp = s·(dp - delta)·scale for tiles of rows ≥ 1 rows and two vectors; lse and delta belong to the columns.")
	s, rows = g.ptr("s"), g.ptr("rows")
	dp := g.ptr("dp")
	lse, delta := g.ptr("lse"), g.ptr("delta")
	sc := g.broadcast("scale")
	g.Label("loop")
	for j := range 2 {
		v := g.loaded(Mem{Base: s, Disp: j * g.bytes()}, nil)
		g.VSUBPS(Mem{Base: lse, Disp: j * g.bytes()}, v, v)
		g.exp(v)
		g.VMOVUPS(v, Mem{Base: s, Disp: j * g.bytes()})
		d := g.loaded(Mem{Base: dp, Disp: j * g.bytes()}, nil)
		g.VSUBPS(Mem{Base: delta, Disp: j * g.bytes()}, d, d)
		g.VMULPS(v, d, d)
		g.VMULPS(sc, d, d)
		g.VMOVUPS(d, Mem{Base: dp, Disp: j * g.bytes()})
	}
	g.ADDQ(U32(uint32(2*g.bytes())), s)
	g.ADDQ(U32(uint32(2*g.bytes())), dp)
	g.DECQ(rows)
	g.JNZ(label("loop"))
	g.ret()
}
