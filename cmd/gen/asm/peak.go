package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// peakChains is how many sums of a peak loop do not wait for each other: two units with latencies of four to six cycles are kept
// busy by twelve.
const peakChains = 12

// emitPeaks writes loops that do nothing but what is measured: multiply-adds in registers, and reading.
func emitPeaks(g *gen) {
	emitPeak(g, "peakFloat", "multiply-adds of float32", func(a, b, acc Op) { g.VFMADD231PS(a, b, acc) })
	if g.wide() {
		emitPeak(g, "peakBF16", "additions of products of pairs of bf16", g.VDPBF16PS)
		emitPeak(g, "peakInt8", "additions of four products of int8", g.VPDPBUSD)
	}
	emitRead(g)
}

func emitPeak(g *gen, name, what string, multiply func(a, b, acc Op)) {
	g.fn(name, "func(n int)", fmt.Sprintf("makes %d·n vectors of %s, n ≥ 1.", peakChains, what))
	n := g.ptr("n")
	a, b := g.vec(), g.vec()
	g.zero(a)
	g.zero(b)
	var acc []VecVirtual
	for range peakChains {
		v := g.vec()
		g.zero(v)
		acc = append(acc, v)
	}
	g.Label("loop")
	for _, v := range acc {
		multiply(a, b, v)
	}
	g.DECQ(n)
	g.JNZ(label("loop"))
	g.ret()
}

func emitRead(g *gen) {
	const vectors = 8
	g.fn("read", "func(x *float32, n int) (ret float32)", fmt.Sprintf("returns a sum of n·%d elements, n ≥ 1; how fast it is tells how fast they can be read.", vectors*g.lanes))
	x, n := g.ptr("x"), g.ptr("n")
	var acc []VecVirtual
	for range vectors {
		v := g.vec()
		g.zero(v)
		acc = append(acc, v)
	}
	g.Label("loop")
	for i, v := range acc {
		g.VADDPS(Mem{Base: x, Disp: i * g.bytes()}, v, v)
	}
	g.ADDQ(U32(uint32(vectors*g.bytes())), x)
	g.DECQ(n)
	g.JNZ(label("loop"))
	for _, v := range acc[1:] {
		g.VADDPS(v, acc[0], acc[0])
	}
	g.retFloat(g.reduce(acc[0], g.add))
}
