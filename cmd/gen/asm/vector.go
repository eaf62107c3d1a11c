package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// vectorLoop emits a loop over n elements: body for every whole vector, once more with a mask for the rest.
// The body sees the current address of each pointer.
func (g *gen) vectorLoop(ptrs []string, body func(at []Mem, k *mask)) {
	n := g.ptr("n")
	at := make([]Mem, len(ptrs))
	for i, name := range ptrs {
		at[i] = Mem{Base: g.ptr(name)}
	}
	g.SUBQ(U32(uint32(g.lanes)), n)
	g.JL(label("rest"))
	g.Label("loop")
	body(at, nil)
	for _, m := range at {
		g.ADDQ(U32(uint32(g.bytes())), m.Base)
	}
	g.SUBQ(U32(uint32(g.lanes)), n)
	g.JGE(label("loop"))
	g.Label("rest")
	g.ADDQ(U32(uint32(g.lanes)), n)
	g.JZ(label("done"))
	body(at, g.maskOf(n))
	g.Label("done")
}

// loaded returns a new register with the vector at m.
func (g *gen) loaded(m Mem, k *mask) VecVirtual {
	v := g.vec()
	g.load(m, v, k)
	return v
}

func emitVector(g *gen) {
	g.fn("axpy", "func(y, x *float32, alpha float32, n int)", "adds alpha·x to y.")
	alpha := g.broadcast("alpha")
	g.vectorLoop([]string{"y", "x"}, func(at []Mem, k *mask) {
		y, x := g.loaded(at[0], k), g.loaded(at[1], k)
		g.VFMADD231PS(x, alpha, y)
		g.store(y, at[0], k)
	})
	g.ret()

	g.fn("add", "func(z, x, y *float32, n int)", "writes z = x + y.")
	g.vectorLoop([]string{"z", "x", "y"}, func(at []Mem, k *mask) {
		x, y := g.loaded(at[1], k), g.loaded(at[2], k)
		g.VADDPS(y, x, x)
		g.store(x, at[0], k)
	})
	g.ret()

	g.fn("scale", "func(y, x *float32, alpha float32, n int)", "writes y = alpha·x.")
	alpha = g.broadcast("alpha")
	g.vectorLoop([]string{"y", "x"}, func(at []Mem, k *mask) {
		x := g.loaded(at[1], k)
		g.VMULPS(alpha, x, x)
		g.store(x, at[0], k)
	})
	g.ret()

	emitDot(g, 2)
	emitDot(g, 3)
	emitSumSquares(g)
	emitNorm(g)
	emitRotate(g)
	emitSwiGLU(g)
	emitAdamW(g)
}

// emitDot writes Σ x·y or Σ x·y·z with four accumulators.
func emitDot(g *gen, operands int) {
	names := []string{"x", "y", "z"}[:operands]
	if operands == 2 {
		g.fn("dot", "func(x, y *float32, n int) (ret float32)", "returns Σ x·y.")
	} else {
		g.fn("dot3", "func(x, y, z *float32, n int) (ret float32)", "returns Σ x·y·z.")
	}
	n := g.ptr("n")
	var at []Mem
	for _, name := range names {
		at = append(at, Mem{Base: g.ptr(name)})
	}
	var acc [4]VecVirtual
	for i := range acc {
		acc[i] = g.vec()
		g.zero(acc[i])
	}
	// step adds the products of the vector u places after the current one to acc[into].
	step := func(u, into int, k *mask) {
		v := g.loaded(at[0].Offset(u*g.bytes()), k)
		y := g.loaded(at[1].Offset(u*g.bytes()), k)
		if operands == 3 {
			z := g.loaded(at[2].Offset(u*g.bytes()), k)
			g.VMULPS(z, y, y)
		}
		g.VFMADD231PS(y, v, acc[into])
	}
	advance := func(by int, back string) {
		for _, m := range at {
			g.ADDQ(U32(uint32(by*g.bytes())), m.Base)
		}
		g.SUBQ(U32(uint32(by*g.lanes)), n)
		g.JGE(label("%s", back))
	}
	g.SUBQ(U32(uint32(4*g.lanes)), n)
	g.JL(label("few"))
	g.Label("loop")
	for u := range acc {
		step(u, u, nil)
	}
	advance(4, "loop")
	g.Label("few")
	g.ADDQ(U32(uint32(3*g.lanes)), n)
	g.JL(label("rest"))
	g.Label("single")
	step(0, 0, nil)
	advance(1, "single")
	g.Label("rest")
	g.ADDQ(U32(uint32(g.lanes)), n)
	g.JZ(label("sum"))
	step(0, 1, g.maskOf(n))
	g.Label("sum")
	g.VADDPS(acc[1], acc[0], acc[0])
	g.VADDPS(acc[3], acc[2], acc[2])
	g.VADDPS(acc[2], acc[0], acc[0])
	g.retFloat(g.reduce(acc[0], g.add))
}

func emitSumSquares(g *gen) {
	g.fn("sumSquares", "func(x *float32, n int) (ret float64)", "returns Σ x², summed in float64.")
	lo, hi := g.vec(), g.vec()
	g.zero(lo)
	g.zero(hi)
	g.vectorLoop([]string{"x"}, func(at []Mem, k *mask) {
		x := g.loaded(at[0], k)
		d, e := g.vec(), g.vec()
		if g.wide() {
			h := g.YMM()
			g.VEXTRACTF64X4(Imm(1), x, h)
			g.VCVTPS2PD(h, e)
		} else {
			h := g.XMM()
			g.extract128(x, h)
			g.VCVTPS2PD(h, e)
		}
		if g.wide() {
			g.VCVTPS2PD(half(x), d)
		} else {
			g.VCVTPS2PD(x.AsX(), d)
		}
		g.VFMADD231PD(d, d, lo)
		g.VFMADD231PD(e, e, hi)
	})
	g.VADDPD(hi, lo, lo)
	if g.wide() {
		h := g.YMM()
		g.VEXTRACTF64X4(Imm(1), lo, h)
		g.VADDPD(h, half(lo), half(lo))
	}
	h := g.XMM()
	g.extract128(half(lo), h)
	x := lo.AsX()
	g.VADDPD(h, x, x)
	g.VUNPCKHPD(x, x, h)
	g.VADDPD(h, x, x)
	g.Store(x, g.Return("ret"))
	g.ret()
}

func emitNorm(g *gen) {
	g.fn("normScale", "func(y, x, w *float32, r float32, n int)", "writes y = x·r·w.")
	r := g.broadcast("r")
	g.vectorLoop([]string{"y", "x", "w"}, func(at []Mem, k *mask) {
		x, w := g.loaded(at[1], k), g.loaded(at[2], k)
		g.VMULPS(r, x, x)
		g.VMULPS(w, x, x)
		g.store(x, at[0], k)
	})
	g.ret()

	g.fn("normGrad", "func(dx, dsum, dy, x, w *float32, r, c float32, n int)", "writes dx = dsum + r·w·dy - c·x.")
	r, c := g.broadcast("r"), g.broadcast("c")
	g.vectorLoop([]string{"dx", "dsum", "dy", "x", "w"}, func(at []Mem, k *mask) {
		s, dy := g.loaded(at[1], k), g.loaded(at[2], k)
		x, w := g.loaded(at[3], k), g.loaded(at[4], k)
		g.VMULPS(r, dy, dy)
		g.VFMADD231PS(w, dy, s)
		g.VFNMADD231PS(c, x, s)
		g.store(s, at[0], k)
	})
	g.ret()

	g.fn("normWeightGrad", "func(dw, dy, x *float32, r float32, n int)", "adds r·dy·x to dw.")
	r = g.broadcast("r")
	g.vectorLoop([]string{"dw", "dy", "x"}, func(at []Mem, k *mask) {
		dw, dy, x := g.loaded(at[0], k), g.loaded(at[1], k), g.loaded(at[2], k)
		g.VMULPS(r, dy, dy)
		g.VFMADD231PS(x, dy, dw)
		g.store(dw, at[0], k)
	})
	g.ret()
}

func emitRotate(g *gen) {
	g.fn("rotate", "func(y0, y1, x0, x1, cos, sin *float32, n int)", "writes y0 = x0·cos - x1·sin and y1 = x1·cos + x0·sin.")
	g.vectorLoop([]string{"y0", "y1", "x0", "x1", "cos", "sin"}, func(at []Mem, k *mask) {
		x0, x1 := g.loaded(at[2], k), g.loaded(at[3], k)
		c, s := g.loaded(at[4], k), g.loaded(at[5], k)
		a, b := g.vec(), g.vec()
		g.VMULPS(s, x1, a)
		g.VMULPS(s, x0, b)
		g.VFMSUB231PS(c, x0, a)
		g.VFMADD231PS(c, x1, b)
		g.store(a, at[0], k)
		g.store(b, at[1], k)
	})
	g.ret()

	g.fn("rotatePairs", "func(y, x, cos, sin *float32, sign float32, n int)",
		"writes y[2i] = x[2i]·cos[2i] - sign·x[2i+1]·sin[2i] and y[2i+1] = x[2i+1]·cos[2i] + sign·x[2i]·sin[2i]; cos and sin hold every value twice.")
	sign := g.broadcast("sign")
	g.vectorLoop([]string{"y", "x", "cos", "sin"}, func(at []Mem, k *mask) {
		x, c, s := g.loaded(at[1], k), g.loaded(at[2], k), g.loaded(at[3], k)
		t := g.vec()
		g.VPERMILPS(Imm(0xb1), x, t) // neighbours change places
		g.VMULPS(sign, s, s)
		g.VMULPS(s, t, t)
		g.VFMADDSUB231PS(c, x, t)
		g.store(t, at[0], k)
	})
	g.ret()
}

func emitSwiGLU(g *gen) {
	// sigmoid leaves 1/(1+exp(-v)) in a new register.
	sigmoid := func(v VecVirtual) VecVirtual {
		e := g.vec()
		g.zero(e)
		g.VSUBPS(v, e, e)
		g.exp(e)
		one := g.konst("one")
		g.VADDPS(one, e, e)
		g.VDIVPS(e, one, e)
		return e
	}
	g.fn("siluMul", "func(y, gate, up *float32, n int)", "writes y = gate·sigmoid(gate)·up.")
	g.vectorLoop([]string{"y", "gate", "up"}, func(at []Mem, k *mask) {
		v := g.loaded(at[1], k)
		s := sigmoid(v)
		u := g.loaded(at[2], k)
		g.VMULPS(v, s, s)
		g.VMULPS(u, s, s)
		g.store(s, at[0], k)
	})
	g.ret()

	g.fn("siluMulGrad", "func(dGate, dUp, dY, gate, up *float32, n int)",
		"writes dUp = dY·silu(gate) and dGate = dY·up·silu'(gate), silu'(v) = s·(1+v·(1-s)) with s = sigmoid(v).")
	g.vectorLoop([]string{"dGate", "dUp", "dY", "gate", "up"}, func(at []Mem, k *mask) {
		v := g.loaded(at[3], k)
		s := sigmoid(v)
		dy, u := g.loaded(at[2], k), g.loaded(at[4], k)
		silu, d := g.vec(), g.vec()
		g.VMULPS(v, s, silu)
		// s·(1 + v·(1-s)) = s + silu·(1-s)
		one := g.konst("one")
		g.VSUBPS(s, one, d)
		g.VFMADD213PS(s, silu, d)
		g.VMULPS(dy, silu, silu)
		g.VMULPS(u, dy, dy)
		g.VMULPS(dy, d, d)
		g.store(d, at[0], k)
		g.store(silu, at[1], k)
	})
	g.ret()
}

// emitAdamW writes the update; the coefficients lie in an array in the order of package cpu's adamwCoef.
func emitAdamW(g *gen) {
	g.fn("adamw", "func(p, m, v, grad, coef *float32, n int)", "updates p, m and v from grad; coef is described at adamwCoef.")
	coef := g.ptr("coef")
	c := make([]VecVirtual, 9)
	for i := range c {
		c[i] = g.vec()
		g.VBROADCASTSS(Mem{Base: coef, Disp: 4 * i}, c[i])
	}
	gradScale, b1, b1c, b2, b2c, decay, step, vScale, eps := c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]
	g.vectorLoop([]string{"p", "m", "v", "grad"}, func(at []Mem, k *mask) {
		d := g.loaded(at[3], k)
		g.VMULPS(gradScale, d, d)
		m := g.loaded(at[1], k)
		g.VMULPS(b1, m, m)
		g.VFMADD231PS(b1c, d, m)
		g.store(m, at[1], k)
		v := g.loaded(at[2], k)
		g.VMULPS(d, d, d)
		g.VMULPS(b2, v, v)
		g.VFMADD231PS(b2c, d, v)
		g.store(v, at[2], k)
		g.VMULPS(vScale, v, v)
		g.VSQRTPS(v, v)
		g.VADDPS(eps, v, v)
		g.VMULPS(step, m, m)
		g.VDIVPS(v, m, m)
		p := g.loaded(at[0], k)
		g.VFMSUB132PS(decay, m, p) // p·decay - m
		g.store(p, at[0], k)
	})
	g.ret()
}
