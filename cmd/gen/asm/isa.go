package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// isa is what the emitters must know of an instruction set.
type isa struct {
	suffix string
	lanes  int // float32 lanes of a vector
	rows   int // rows of the largest tile: the accumulators of rows × 2 vectors, two operands, two broadcasts fill the registers
}

var (
	avx2   = isa{"AVX2", 8, 6}
	avx512 = isa{"AVX512", 16, 14}
)

// gen emits one file. Its methods hide the differences between the two instruction sets.
type gen struct {
	*build.Context
	isa
	consts map[string]Mem
	masks  Mem
}

func (g *gen) wide() bool { return g.lanes == 16 }

// bytes is the size of a vector.
func (g *gen) bytes() int { return 4 * g.lanes }

// vec returns a new vector register.
func (g *gen) vec() VecVirtual {
	if g.wide() {
		return g.ZMM()
	}
	return g.YMM()
}

// half returns the lower 256 bits of a vector.
func half(v VecVirtual) Register { return v.AsY() }

// constants are the numbers that kernels read from memory, each repeated over 64 bytes so that one load fills a vector.
var constants = []struct {
	name string
	v    float64
}{
	{"one", 1},
	// exp: x = n·ln2 + r with |r| ≤ ln2/2; ln2 in two parts (Cody & Waite 1980); Taylor to degree 7 (error 5e-9).
	{"log2e", math.Log2E},
	{"ln2hi", 0.693359375},            // 355/512: n·ln2hi is exact
	{"ln2lo", math.Ln2 - 0.693359375}, // the rest
	{"expLo", -87.33},                 // below, the result is zero: no denormals
	{"expHi", 88},                     // above, the result stays exp(88)
	{"c2", 1. / 2}, {"c3", 1. / 6}, {"c4", 1. / 24}, {"c5", 1. / 120}, {"c6", 1. / 720}, {"c7", 1. / 5040},
}

// data declares the read-only data of a file.
func (g *gen) data() {
	g.consts = map[string]Mem{}
	for _, c := range constants {
		g.consts[c.name] = g.StaticGlobal(c.name)
		g.DataAttributes(attr.RODATA | attr.NOPTR)
		for range 16 {
			g.AppendDatum(U32(math.Float32bits(float32(c.v)))) // avo writes F32(1) as the integer 1
		}
	}
	// masks: eight words of ones, eight of zeros; the mask of n lanes starts at word 8-n.
	g.masks = g.StaticGlobal("masks")
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		m := uint32(0)
		if i < 8 {
			m = math.MaxUint32
		}
		g.AppendDatum(U32(m))
	}
}

// fn begins a function. The name gets the instruction set's suffix.
func (g *gen) fn(name, sig, doc string) {
	name += g.suffix
	g.Function(name)
	g.Attributes(attr.NOSPLIT)
	g.SignatureExpr(sig)
	g.Pragma("noescape")
	g.Doc(name + " " + doc)
}

func (g *gen) ptr(name string) GPVirtual {
	return g.Load(g.Param(name), g.GP64()).(GPVirtual)
}

// stride loads a distance in elements and returns it in bytes.
func (g *gen) stride(name string) GPVirtual {
	r := g.ptr(name)
	g.SHLQ(Imm(2), r)
	return r
}

func (g *gen) zero(v Op) {
	if g.wide() {
		g.VPXORQ(v, v, v)
	} else {
		g.VXORPS(v, v, v)
	}
}

// broadcast loads a float32 parameter into every lane.
func (g *gen) broadcast(name string) VecVirtual {
	v := g.vec()
	p, err := g.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	g.VBROADCASTSS(p.Addr, v)
	return v
}

func (g *gen) konst(name string) VecVirtual {
	v := g.vec()
	g.VMOVUPS(g.consts[name], v)
	return v
}

// mask selects lanes: a mask register or a vector of ones and zeros; nil selects all.
type mask struct {
	k Register   // AVX-512
	v VecVirtual // AVX2
}

// maskOf returns the mask of the first n lanes, 0 ≤ n ≤ lanes.
func (g *gen) maskOf(n Register) *mask {
	if g.wide() {
		one, k := g.GP32(), g.K()
		MovCL(g, n)
		g.MOVL(U32(1), one)
		g.SHLL(CL, one)
		g.DECL(one)
		g.KMOVW(one, k)
		return &mask{k: k}
	}
	p, off := g.GP64(), g.GP64()
	g.LEAQ(g.masks, p)
	g.MOVQ(n, off)
	g.SHLQ(Imm(2), off)
	g.SUBQ(off, p)
	v := g.YMM()
	g.VMOVUPS(Mem{Base: p, Disp: 32}, v)
	return &mask{v: v}
}

// MovCL puts a count where shifts want it.
func MovCL(g *gen, n Register) { g.MOVQ(n, RCX) }

func (g *gen) load(m Mem, v VecVirtual, k *mask) {
	switch {
	case k == nil:
		g.VMOVUPS(m, v)
	case g.wide():
		g.VMOVUPS_Z(m, k.k, v)
	default:
		g.VMASKMOVPS(m, k.v, v)
	}
}

func (g *gen) store(v VecVirtual, m Mem, k *mask) {
	switch {
	case k == nil:
		g.VMOVUPS(v, m)
	case g.wide():
		g.VMOVUPS(v, k.k, m)
	default:
		g.VMASKMOVPS(v, k.v, m)
	}
}

// keep zeroes the lanes of v outside the mask.
func (g *gen) keep(v VecVirtual, k *mask) {
	switch {
	case k == nil:
	case g.wide():
		g.VMOVAPS_Z(v, k.k, v)
	default:
		g.VANDPS(k.v, v, v)
	}
}

// maxInto sets acc to the larger of acc and x in the lanes of the mask.
func (g *gen) maxInto(acc, x VecVirtual, k *mask) {
	switch {
	case k == nil:
		g.VMAXPS(x, acc, acc)
	case g.wide():
		g.VMAXPS(x, acc, k.k, acc)
	default:
		t := g.vec()
		g.VMAXPS(x, acc, t)
		g.VBLENDVPS(k.v, t, acc, acc)
	}
}

// exp sets v to exp(v), about 1 ulp; see the constants for the range. NaN stays NaN.
func (g *gen) exp(v VecVirtual) {
	x, n, p := g.vec(), g.vec(), g.vec()
	lo := g.konst("expLo")
	g.VMAXPS(v, lo, x) // the second source wins when one is NaN: order matters
	hi := g.konst("expHi")
	g.VMINPS(x, hi, x)
	g.VMULPS(g.consts["log2e"], x, n)
	if g.wide() {
		g.VRNDSCALEPS(Imm(8), n, n)
	} else {
		g.VROUNDPS(Imm(8), n, n)
	}
	g.VFNMADD231PS(g.consts["ln2hi"], n, x)
	g.VFNMADD231PS(g.consts["ln2lo"], n, x)
	g.VMOVUPS(g.consts["c7"], p)
	for _, c := range []string{"c6", "c5", "c4", "c3", "c2", "one", "one"} {
		g.VFMADD213PS(g.consts[c], x, p)
	}
	const notLess = 0x15 // NLT_UQ
	if g.wide() {
		k := g.K()
		g.VSCALEFPS(n, p, p)
		g.VCMPPS(Imm(notLess), lo, v, k)
		g.VMOVAPS_Z(p, k, v)
		return
	}
	g.VCVTPS2DQ(n, n)
	g.VPSLLD(Imm(23), n, n)
	g.VPADDD(n, p, p)
	g.VCMPPS(Imm(notLess), lo, v, v)
	g.VANDPS(p, v, v)
}

// reduce returns a register whose lowest lane is the sum (or the maximum) of v's lanes. It destroys v.
func (g *gen) reduce(v VecVirtual, op func(a, b, c Op)) VecVirtual {
	if g.wide() {
		h := g.YMM()
		g.VEXTRACTF64X4(Imm(1), v, h)
		op(h, half(v), half(v))
	}
	h := g.XMM()
	g.extract128(half(v), h)
	x := v.AsX()
	op(h, x, x)
	g.VMOVHLPS(x, x, h)
	op(h, x, x)
	g.VMOVSHDUP(x, h)
	op(h, x, x)
	return v
}

// extract128 copies the upper 128 bits of y to x. The instruction of AVX2 cannot name the registers 16 to 31.
func (g *gen) extract128(y, x Op) {
	if g.wide() {
		g.VEXTRACTF32X4(Imm(1), y, x)
	} else {
		g.VEXTRACTF128(Imm(1), y, x)
	}
}

func (g *gen) add(a, b, c Op)  { g.VADDPS(a, b, c) }
func (g *gen) vmax(a, b, c Op) { g.VMAXPS(a, b, c) }

// ret ends a function that used wide registers.
func (g *gen) ret() {
	g.VZEROUPPER()
	g.RET()
}

// retFloat ends a function that returns the lowest lane of v.
func (g *gen) retFloat(v VecVirtual) {
	g.Store(v.AsX(), g.Return("ret"))
	g.ret()
}

func label(format string, a ...any) LabelRef { return LabelRef(fmt.Sprintf(format, a...)) }
