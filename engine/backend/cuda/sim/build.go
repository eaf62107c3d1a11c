package sim

import (
	"fmt"
	"strings"
)

// builder turns one instruction as written into code.
type builder struct {
	p    *parser
	in   *instr
	op   string
	mods []string // what of the name is still to be read
	o    []operand
}

func (b *builder) fail(format string, args ...any) {
	panic(perr{fmt.Errorf("PTX line %d: %s: %s", b.in.line, b.op, fmt.Sprintf(format, args...))})
}

// take reads one modifier if it comes next.
func (b *builder) take(s string) bool {
	if len(b.mods) > 0 && b.mods[0] == s {
		b.mods = b.mods[1:]
		return true
	}
	return false
}

// word reads the next modifier, whatever it is.
func (b *builder) word() string {
	if len(b.mods) == 0 {
		b.fail("a modifier is missing")
	}
	s := b.mods[0]
	b.mods = b.mods[1:]
	return s
}

// end refuses modifiers that nothing has read.
func (b *builder) end() {
	if len(b.mods) > 0 {
		b.fail("the modifier .%s is not known", b.mods[0])
	}
}

func (b *builder) want(n int) {
	if len(b.o) != n {
		b.fail("%d operands; wanted %d", len(b.o), n)
	}
}

// typ is an instruction's type.
type typ struct {
	name   string
	bits   int // 1 for pred
	signed bool
	float  bool
}

func (b *builder) typ() typ {
	s := b.word()
	t, ok := types[s]
	if !ok {
		b.fail("type .%s is not known", s)
	}
	return t
}

var types = map[string]typ{
	"pred": {"pred", 1, false, false},
	"b8":   {"b8", 8, false, false}, "u8": {"u8", 8, false, false}, "s8": {"s8", 8, true, false},
	"b16": {"b16", 16, false, false}, "u16": {"u16", 16, false, false}, "s16": {"s16", 16, true, false}, "bf16": {"bf16", 16, false, true}, "f16": {"f16", 16, false, true},
	"b32": {"b32", 32, false, false}, "u32": {"u32", 32, false, false}, "s32": {"s32", 32, true, false}, "f32": {"f32", 32, false, true},
	"bf16x2": {"bf16x2", 32, false, true}, "f16x2": {"f16x2", 32, false, true},
	"b64": {"b64", 64, false, false}, "u64": {"u64", 64, false, false}, "s64": {"s64", 64, true, false}, "f64": {"f64", 64, false, true},
}

// extend widens the low bits of v to 64 by the type's sign.
func (t typ) extend(v uint64) uint64 {
	shift := 64 - t.bits
	if t.signed {
		return uint64(int64(v<<shift) >> shift)
	}
	return v << shift >> shift
}

func (b *builder) is64(o operand) bool { return b64(o) }

// src32 returns the register of a source, made for a number.
func (b *builder) src32(o operand, t typ) int {
	switch o.kind {
	case oReg:
		if o.reg.class != c32 || o.neg {
			b.fail("%s is no 32-bit register", o.text)
		}
		b.in.use32 = append(b.in.use32, o.reg.slot)
		return o.reg.slot
	case oImm:
		if o.fbits == 64 {
			b.fail("the double %s in 32 bits", o.text)
		}
		return b.p.const32(uint32(o.imm))
	case oSymbol:
		if v, ok := b.symbol(o.label); ok && v.space != spaceGlobal {
			return b.p.const32(uint32(v.at))
		}
	}
	b.fail("%s is no 32-bit source", o.text)
	return 0
}

func (b *builder) src64(o operand, t typ) int {
	switch o.kind {
	case oReg:
		if o.reg.class != c64 || o.neg {
			b.fail("%s is no 64-bit register", o.text)
		}
		b.in.use64 = append(b.in.use64, o.reg.slot)
		return o.reg.slot
	case oImm:
		return b.p.const64(o.imm, "")
	case oSymbol:
		if v, ok := b.symbol(o.label); ok {
			if v.space == spaceGlobal {
				return b.p.const64(0, o.label)
			}
			return b.p.const64(uint64(v.at), "")
		}
	}
	b.fail("%s is no 64-bit source", o.text)
	return 0
}

// symbol returns where a variable lies. Dynamic shared memory lies behind all declared variables, which come first in
// what the compiler writes.
func (b *builder) symbol(name string) (variable, bool) {
	if v, ok := b.p.vars[name]; ok {
		return v, true
	}
	if b.p.extern[name] {
		return variable{spaceShared, (b.p.k.Shared + 127) &^ 127}, true
	}
	for _, g := range b.p.m.globals {
		if g.name == name {
			return variable{spaceGlobal, 0}, true
		}
	}
	return variable{}, false
}

func (b *builder) srcp(o operand) int {
	if o.kind == oImm && o.fbits == 0 {
		return b.p.constp(o.imm != 0)
	}
	if o.kind != oReg || o.reg.class != cp {
		b.fail("%s is no predicate", o.text)
	}
	b.in.usep = append(b.in.usep, o.reg.slot)
	return o.reg.slot
}

func (b *builder) dst32(o operand) int {
	if o.kind != oReg || o.reg.class != c32 {
		b.fail("%s is no 32-bit register", o.text)
	}
	b.in.set32 = append(b.in.set32, o.reg.slot)
	return o.reg.slot
}

func (b *builder) dst64(o operand) int {
	if o.kind != oReg || o.reg.class != c64 {
		b.fail("%s is no 64-bit register", o.text)
	}
	b.in.set64 = append(b.in.set64, o.reg.slot)
	return o.reg.slot
}

func (b *builder) dstp(o operand) int {
	if o.kind == oSink {
		return b.p.newReg(cp).slot
	}
	if o.kind != oReg || o.reg.class != cp {
		b.fail("%s is no predicate", o.text)
	}
	b.in.setp = append(b.in.setp, o.reg.slot)
	return o.reg.slot
}

// address reads [register+offset] or [variable+offset].
func (b *builder) address(o operand) address {
	if o.kind != oAddr {
		b.fail("%s is no address", o.text)
	}
	base := *o.base
	if base.kind == oReg && base.reg.class == c32 {
		return address{slot: b.src32(base, types["u32"]), off: o.off}
	}
	return address{wide: true, slot: b.src64(base, types["u64"]), off: o.off}
}

// build fills in what the instruction does.
func (b *builder) build() {
	parts := strings.Split(b.op, ".")
	b.mods = parts[1:]
	switch parts[0] {
	case "bra":
		b.take("uni")
		b.end()
		b.want(1)
		if b.o[0].kind != oSymbol {
			b.fail("%s is no label", b.o[0].text)
		}
		b.in.op = opBranch
		b.p.fixes = append(b.p.fixes, fix{len(b.p.k.code), b.o[0].label, b.in.line, append([]int(nil), b.p.prefix...)})
	case "ret", "exit":
		b.take("uni")
		b.end()
		b.want(0)
		b.in.op = opExit
	case "ld", "ldu":
		b.memory(false)
	case "st":
		b.memory(true)
	case "atom":
		b.atomic(false)
	case "red":
		b.atomic(true)
	case "bar", "barrier":
		b.barrier()
	case "shfl":
		b.shuffle()
	case "vote":
		b.vote()
	case "activemask":
		b.end2("b32")
		d := b.dst32(b.o[0])
		b.in.run = func(w *warp, m uint32) { w.each32(d, m, m) }
	case "membar", "fence":
		b.fence()
	case "ldmatrix":
		b.ldmatrix()
	case "mma":
		b.mma()
	case "cp":
		b.copy()
	case "mbarrier":
		b.mbarrier()
	case "wgmma":
		b.wgmma()
	case "setmaxnreg":
		b.registers()
	default:
		if !b.arithmetic(parts[0]) {
			b.fail("the instruction is not known")
		}
	}
}

// fence builds membar and fence.
func (b *builder) fence() {
	switch {
	case b.take("proxy"):
		if !b.take("async") {
			b.fail("only fence.proxy.async is known")
		}
		if !b.take("shared::cta") {
			b.take("global")
		}
		b.end()
		b.p.k.exact = true
		b.in.run = func(w *warp, m uint32) { w.fence(m) }
	case b.take("mbarrier_init"):
		for _, s := range []string{"release", "cluster"} {
			if !b.take(s) {
				b.fail("wanted .%s", s)
			}
		}
		b.end()
		b.in.run = func(w *warp, m uint32) { w.fenceBarriers(m) }
	default:
		b.mods = nil
		b.in.run = func(*warp, uint32) {}
	}
}

// registers builds setmaxnreg, which changes nothing here: registers are as many as the kernel names.
func (b *builder) registers() {
	if !b.take("inc") && !b.take("dec") || !b.take("sync") || !b.take("aligned") {
		b.fail("the instruction is not known")
	}
	b.end2("u32")
	b.want(1)
	if n := b.number(b.o[0]); n < 24 || n > 256 || n%8 != 0 {
		b.fail("%d registers; wanted a multiple of 8 from 24 to 256", n)
	}
	b.in.op, b.in.members = opWarp, -1
	b.in.run = func(*warp, uint32) {}
}

// end2 reads one last type of that name.
func (b *builder) end2(name string) {
	if !b.take(name) {
		b.fail("wanted .%s", name)
	}
	b.end()
}

// each32 writes one value to all lanes of m.
func (w *warp) each32(d int, m uint32, v uint32) {
	for l := range 32 {
		if m>>l&1 != 0 {
			w.r32[d][l] = v
		}
	}
}
