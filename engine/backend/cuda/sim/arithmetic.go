package sim

import (
	"math"
	"math/bits"
)

// arithmetic builds what works on registers alone. It returns false for an instruction that it does not know.
func (b *builder) arithmetic(name string) bool {
	switch name {
	case "mov", "cvta":
		b.move(name)
	case "add", "sub", "mul", "div", "rem", "min", "max", "and", "or", "xor", "shl", "shr", "mul24":
		b.binary(name)
	case "mad", "fma":
		b.multiplyAdd(name)
	case "not", "neg", "abs", "popc", "clz", "brev", "cnot":
		b.unary(name)
	case "ex2", "lg2", "rsqrt", "rcp", "sqrt", "sin", "cos", "tanh":
		b.special(name)
	case "setp":
		b.setp()
	case "selp":
		b.selp()
	case "cvt":
		b.convert()
	case "bfe":
		b.bitField()
	case "bfi":
		b.insert()
	case "shf":
		b.funnel()
	case "prmt":
		b.permute()
	case "lop3":
		b.lop3()
	case "copysign":
		b.end2("f32")
		b.want(3)
		d, x, y := b.dst32(b.o[0]), b.src32(b.o[1], types["f32"]), b.src32(b.o[2], types["f32"])
		b.in.run = zip32(d, x, y, func(x, y uint32) uint32 { return x&(1<<31) | y&^(1<<31) })
	default:
		return false
	}
	return true
}

// move builds mov and cvta.
func (b *builder) move(name string) {
	to := false
	var window uint64
	if name == "cvta" {
		to = b.take("to")
		switch {
		case b.take("global"), b.take("const"), b.take("param"):
		case b.take("shared"):
			window = sharedWindow
		case b.take("local"):
			window = localWindow
		default:
			b.fail("the space is not known")
		}
		if to {
			window = -window
		}
	}
	t := b.typ()
	b.end()
	b.want(2)
	d, s := b.o[0], b.o[1]
	switch {
	case name == "cvta":
		if t.bits != 64 {
			b.fail("only 64-bit addresses are known")
		}
		dst, src := b.dst64(d), b.src64(s, t)
		b.in.run = map64(dst, src, func(x uint64) uint64 { return x + window })
	case t.bits == 1:
		dst, src, neg := b.dstp(d), b.srcp(s), s.neg
		b.in.run = func(w *warp, m uint32) {
			v := w.p[src]
			if neg {
				v = ^v
			}
			w.p[dst] = w.p[dst]&^m | v&m
		}
	case d.kind == oVec:
		b.unpack(t, d, s)
	case s.kind == oVec:
		b.pack(t, d, s)
	case t.bits == 64:
		dst, src := b.dst64(d), b.src64(s, t)
		b.in.use64, b.in.set64 = nil, nil
		b.in.run = mov64(dst, src)
	default:
		dst, src := b.dst32(d), b.src32(s, t)
		b.in.use32, b.in.set32 = nil, nil
		if b.in.moves = []int{dst}; s.kind == oReg {
			b.in.moves = []int{dst, src}
		}
		b.in.run = mov32(dst, src)
	}
}

// unpack is mov.b64 {a, b}, x and the like.
func (b *builder) unpack(t typ, d, s operand) {
	n := len(d.vec)
	each := t.bits / n
	var dst []int
	for _, o := range d.vec {
		if o.kind == oSink {
			dst = append(dst, b.p.newReg(c32).slot)
		} else {
			dst = append(dst, b.dst32(o))
		}
	}
	var src int
	if t.bits == 64 {
		src = b.src64(s, t)
	} else {
		src = b.src32(s, t)
	}
	b.in.use32, b.in.use64, b.in.set32 = nil, nil, nil
	b.in.run = func(w *warp, m uint32) {
		held := w.d32
		if t.bits == 64 {
			held = w.d64
		}
		for _, d := range dst {
			w.d32[d] |= held[src] & m
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			v := uint64(0)
			if t.bits == 64 {
				v = w.r64[src][l]
			} else {
				v = uint64(w.r32[src][l])
			}
			for i, d := range dst {
				w.r32[d][l] = uint32(v >> (i * each) & (1<<each - 1))
			}
		}
	}
}

// pack is mov.b64 x, {a, b} and the like. As with every copy, what holds nothing is copied without error; a register of two
// halves counts as written when one of them is, since the compiler packs a half that nobody will read.
func (b *builder) pack(t typ, d, s operand) {
	n := len(s.vec)
	each := t.bits / n
	var src []int
	for _, o := range s.vec {
		src = append(src, b.src32(o, t))
	}
	var dst int
	if t.bits == 64 {
		dst = b.dst64(d)
	} else {
		dst = b.dst32(d)
	}
	b.in.use32, b.in.set32, b.in.set64 = nil, nil, nil
	b.in.run = func(w *warp, m uint32) {
		held := w.d32
		if t.bits == 64 {
			held = w.d64
		}
		for _, s := range src {
			held[dst] |= w.d32[s] & m
		}
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			v := uint64(0)
			for i, s := range src {
				v |= uint64(w.r32[s][l]) & (1<<each - 1) << (i * each)
			}
			if t.bits == 64 {
				w.r64[dst][l] = v
			} else {
				w.r32[dst][l] = uint32(v)
			}
		}
	}
}

// three reads d, a, b of one width.
func (b *builder) three(t typ) (d, x, y int) {
	b.want(3)
	if t.bits == 64 {
		return b.dst64(b.o[0]), b.src64(b.o[1], t), b.src64(b.o[2], t)
	}
	return b.dst32(b.o[0]), b.src32(b.o[1], t), b.src32(b.o[2], t)
}

// rounding reads what changes how floats round: flush is .ftz.
func (b *builder) rounding() (flush, approx bool) {
	b.take("rn") // the only rounding of results that is known
	approx = b.take("approx") || b.take("full")
	flush = b.take("ftz")
	return flush, approx
}

// flushed turns numbers below the normal ones to zero.
func flushed(x uint32) uint32 {
	if x&0x7f800000 == 0 {
		return x & (1 << 31)
	}
	return x
}

func (b *builder) binary(name string) {
	if name == "mul" && len(b.mods) == 2 && b.mods[0] == "wide" {
		b.word()
		t := b.typ()
		b.end()
		b.want(3)
		if t.bits != 32 {
			b.fail("only 32 by 32 bits are known")
		}
		d, x, y := b.dst64(b.o[0]), b.src32(b.o[1], t), b.src32(b.o[2], t)
		b.in.run = mulWide(d, x, y, t.signed)
		return
	}
	high := false
	if name == "mul" {
		high = b.take("hi")
		b.take("lo")
	}
	flush, approx := b.rounding()
	t := b.typ()
	b.end()
	if t.bits == 1 {
		b.logic(name)
		return
	}
	if name == "shl" || name == "shr" {
		b.shift(name, t)
		return
	}
	d, x, y := b.three(t)
	switch {
	case t.name == "f32":
		b.in.run = float32Binary(name, d, x, y, flush, approx)
	case t.name == "f64":
		b.in.run = float64Binary(name, d, x, y)
	case t.float || t.bits < 16:
		b.fail("type .%s is not known", t.name)
	case t.bits == 64:
		b.in.run = b.int64Binary(name, t, d, x, y, high)
	case t.bits == 16:
		f := intBinary(name, t)
		if f == nil || high {
			b.fail("the instruction is not known")
		}
		b.in.run = zip32(d, x, y, func(x, y uint32) uint32 {
			return uint32(f(t.extend(uint64(x)), t.extend(uint64(y)))) & 0xffff
		})
	default:
		b.in.run = b.int32Binary(name, t, d, x, y, high)
	}
	if b.in.run == nil {
		b.fail("the instruction is not known")
	}
}

func (b *builder) logic(name string) {
	b.want(3)
	d, x, y := b.dstp(b.o[0]), b.srcp(b.o[1]), b.srcp(b.o[2])
	nx, ny := b.o[1].neg, b.o[2].neg
	var f func(x, y uint32) uint32
	switch name {
	case "and":
		f = func(x, y uint32) uint32 { return x & y }
	case "or":
		f = func(x, y uint32) uint32 { return x | y }
	case "xor":
		f = func(x, y uint32) uint32 { return x ^ y }
	default:
		b.fail("the instruction is not known")
	}
	b.in.run = func(w *warp, m uint32) {
		u, v := w.p[x], w.p[y]
		if nx {
			u = ^u
		}
		if ny {
			v = ^v
		}
		w.p[d] = w.p[d]&^m | f(u, v)&m
	}
}

func (b *builder) shift(name string, t typ) {
	b.want(3)
	if t.bits == 64 {
		d, x, y := b.dst64(b.o[0]), b.src64(b.o[1], t), b.src32(b.o[2], types["u32"])
		if name == "shl" {
			b.in.run = shl64(d, x, y)
			return
		}
		b.in.run = func(w *warp, m uint32) {
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if t.signed {
					w.r64[d][l] = uint64(int64(w.r64[x][l]) >> w.r32[y][l])
				} else {
					w.r64[d][l] = w.r64[x][l] >> w.r32[y][l]
				}
			}
		}
		return
	}
	d, x, y := b.dst32(b.o[0]), b.src32(b.o[1], t), b.src32(b.o[2], types["u32"])
	switch {
	case name == "shl" && t.bits == 32:
		b.in.run = shl32(d, x, y)
	case name == "shl":
		b.in.run = zip32(d, x, y, func(x, y uint32) uint32 { return x << y & 0xffff })
	default:
		b.in.run = zip32(d, x, y, func(x, y uint32) uint32 {
			v := t.extend(uint64(x))
			if t.signed {
				v = uint64(int64(v) >> y)
			} else {
				v >>= y
			}
			return uint32(v) & uint32(uint64(1)<<t.bits-1)
		})
	}
}

// float32Binary is nil for what is not known.
func float32Binary(name string, d, x, y int, flush, approx bool) func(*warp, uint32) {
	if !flush && !approx {
		switch name {
		case "add":
			return addF(d, x, y)
		case "sub":
			return subF(d, x, y)
		case "mul":
			return mulF(d, x, y)
		}
	}
	var f func(x, y float32) float32
	switch name {
	case "add":
		f = func(x, y float32) float32 { return x + y }
	case "sub":
		f = func(x, y float32) float32 { return x - y }
	case "mul":
		f = func(x, y float32) float32 { return x * y }
	case "div":
		f = func(x, y float32) float32 { return x / y }
		if approx {
			f = func(x, y float32) float32 {
				return float32(blur(float64(x)/float64(y), bits32(x)^bits32(y), 0x1p-22))
			}
		}
	case "min": // the other one where one is NaN
		f = func(x, y float32) float32 {
			if x < y || y != y || x == y && math.Signbit(float64(x)) {
				return x
			}
			return y
		}
	case "max":
		f = func(x, y float32) float32 {
			if x > y || y != y || x == y && !math.Signbit(float64(x)) {
				return x
			}
			return y
		}
	default:
		return nil
	}
	return zip32(d, x, y, func(x, y uint32) uint32 {
		if flush {
			x, y = flushed(x), flushed(y)
		}
		r := bits32(f(float32of(x), float32of(y)))
		if flush {
			r = flushed(r)
		}
		return r
	})
}

func float64Binary(name string, d, x, y int) func(*warp, uint32) {
	var f func(x, y float64) float64
	switch name {
	case "add":
		f = func(x, y float64) float64 { return x + y }
	case "sub":
		f = func(x, y float64) float64 { return x - y }
	case "mul":
		f = func(x, y float64) float64 { return x * y }
	case "div":
		f = func(x, y float64) float64 { return x / y }
	default:
		return nil
	}
	return zip64(d, x, y, func(x, y uint64) uint64 {
		return math.Float64bits(f(math.Float64frombits(x), math.Float64frombits(y)))
	})
}

// intBinary works on numbers widened to 64 bits.
func intBinary(name string, t typ) func(x, y uint64) uint64 {
	switch name {
	case "add":
		return func(x, y uint64) uint64 { return x + y }
	case "sub":
		return func(x, y uint64) uint64 { return x - y }
	case "mul":
		return func(x, y uint64) uint64 { return x * y }
	case "and":
		return func(x, y uint64) uint64 { return x & y }
	case "or":
		return func(x, y uint64) uint64 { return x | y }
	case "xor":
		return func(x, y uint64) uint64 { return x ^ y }
	case "min", "max":
		return func(x, y uint64) uint64 {
			less := x < y
			if t.signed {
				less = int64(x) < int64(y)
			}
			if less == (name == "min") {
				return x
			}
			return y
		}
	}
	return nil
}

func (b *builder) int32Binary(name string, t typ, d, x, y int, high bool) func(*warp, uint32) {
	switch {
	case name == "mul" && high:
		return zip32(d, x, y, func(x, y uint32) uint32 {
			return uint32(t.extend(uint64(x)) * t.extend(uint64(y)) >> 32)
		})
	case name == "add":
		return add32(d, x, y)
	case name == "sub":
		return sub32(d, x, y)
	case name == "mul":
		return mul32(d, x, y)
	case name == "and":
		return and32(d, x, y)
	case name == "or":
		return or32(d, x, y)
	case name == "xor":
		return xor32(d, x, y)
	case name == "div", name == "rem":
		return b.divide(name, t, d, x, y)
	}
	f := intBinary(name, t)
	if f == nil {
		return nil
	}
	return zip32(d, x, y, func(x, y uint32) uint32 { return uint32(f(t.extend(uint64(x)), t.extend(uint64(y)))) })
}

func (b *builder) int64Binary(name string, t typ, d, x, y int, high bool) func(*warp, uint32) {
	switch {
	case name == "mul" && high && !t.signed:
		return zip64(d, x, y, func(x, y uint64) uint64 { hi, _ := bits.Mul64(x, y); return hi })
	case high:
		return nil
	case name == "add":
		return add64(d, x, y)
	case name == "mul":
		return mul64(d, x, y)
	case name == "div", name == "rem":
		return b.divide(name, t, d, x, y)
	}
	if f := intBinary(name, t); f != nil {
		return zip64(d, x, y, f)
	}
	return nil
}

// divide reports a division by zero, whose result a GPU leaves undefined.
func (b *builder) divide(name string, t typ, d, x, y int) func(*warp, uint32) {
	return func(w *warp, m uint32) {
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			var u, v uint64
			if t.bits == 64 {
				u, v = w.r64[x][l], w.r64[y][l]
			} else {
				u, v = t.extend(uint64(w.r32[x][l])), t.extend(uint64(w.r32[y][l]))
			}
			if v == 0 {
				w.fail(Arithmetic, l, "a division by zero")
			}
			var r uint64
			switch {
			case t.signed && name == "div":
				r = uint64(int64(u) / int64(v))
			case t.signed:
				r = uint64(int64(u) % int64(v))
			case name == "div":
				r = u / v
			default:
				r = u % v
			}
			if t.bits == 64 {
				w.r64[d][l] = r
			} else {
				w.r32[d][l] = uint32(r)
			}
		}
	}
}

// multiplyAdd builds mad and fma.
func (b *builder) multiplyAdd(name string) {
	wide, high := b.take("wide"), false
	if !wide {
		high = b.take("hi")
		b.take("lo")
	}
	flush, _ := b.rounding()
	relu := b.take("relu")
	t := b.typ()
	b.end()
	b.want(4)
	if high || relu || t.bits < 32 {
		b.fail("the instruction is not known")
	}
	if wide {
		d, x, y, z := b.dst64(b.o[0]), b.src32(b.o[1], t), b.src32(b.o[2], t), b.src64(b.o[3], t)
		b.in.run = func(w *warp, m uint32) {
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				w.r64[d][l] = t.extend(uint64(w.r32[x][l]))*t.extend(uint64(w.r32[y][l])) + w.r64[z][l]
			}
		}
		return
	}
	if t.bits == 64 {
		d, x, y, z := b.dst64(b.o[0]), b.src64(b.o[1], t), b.src64(b.o[2], t), b.src64(b.o[3], t)
		if t.float {
			b.in.run = zip3x64(d, x, y, z, func(x, y, z uint64) uint64 {
				return math.Float64bits(math.FMA(math.Float64frombits(x), math.Float64frombits(y), math.Float64frombits(z)))
			})
			return
		}
		b.in.run = zip3x64(d, x, y, z, func(x, y, z uint64) uint64 { return x*y + z })
		return
	}
	d, x, y, z := b.dst32(b.o[0]), b.src32(b.o[1], t), b.src32(b.o[2], t), b.src32(b.o[3], t)
	switch {
	case t.name == "f32" && !flush:
		b.in.run = fmaF(d, x, y, z)
	case t.name == "f32":
		b.in.run = zip3x32(d, x, y, z, func(x, y, z uint32) uint32 {
			return flushed(bits32(float32(float64(float32of(flushed(x)))*float64(float32of(flushed(y))) + float64(float32of(flushed(z))))))
		})
	case t.float:
		b.fail("type .%s is not known", t.name)
	default:
		b.in.run = zip3x32(d, x, y, z, func(x, y, z uint32) uint32 { return x*y + z })
	}
}

func (b *builder) unary(name string) {
	flush := b.take("ftz")
	t := b.typ()
	b.end()
	b.want(2)
	if t.bits == 1 {
		if name != "not" {
			b.fail("the instruction is not known")
		}
		d, x, neg := b.dstp(b.o[0]), b.srcp(b.o[1]), b.o[1].neg
		b.in.run = func(w *warp, m uint32) {
			v := ^w.p[x]
			if neg {
				v = ^v
			}
			w.p[d] = w.p[d]&^m | v&m
		}
		return
	}
	if (name == "popc" || name == "clz") && t.bits == 64 {
		d, x := b.dst32(b.o[0]), b.src64(b.o[1], t)
		b.in.run = func(w *warp, m uint32) {
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if name == "popc" {
					w.r32[d][l] = uint32(bits.OnesCount64(w.r64[x][l]))
				} else {
					w.r32[d][l] = uint32(bits.LeadingZeros64(w.r64[x][l]))
				}
			}
		}
		return
	}
	if t.bits == 64 {
		d, x := b.dst64(b.o[0]), b.src64(b.o[1], t)
		var f func(x uint64) uint64
		switch {
		case name == "not" && !t.float:
			f = func(x uint64) uint64 { return ^x }
		case name == "neg" && t.float:
			f = func(x uint64) uint64 { return x ^ 1<<63 }
		case name == "neg":
			f = func(x uint64) uint64 { return -x }
		case name == "abs" && t.float:
			f = func(x uint64) uint64 { return x &^ (1 << 63) }
		case name == "abs":
			f = func(x uint64) uint64 { return uint64(max(int64(x), -int64(x))) }
		default:
			b.fail("the instruction is not known")
		}
		b.in.run = map64(d, x, f)
		return
	}
	d, x := b.dst32(b.o[0]), b.src32(b.o[1], t)
	low := uint32(uint64(1)<<t.bits - 1)
	var f func(x uint32) uint32
	switch {
	case t.float && t.bits != 32:
		b.fail("type .%s is not known", t.name)
	case name == "not":
		f = func(x uint32) uint32 { return ^x & low }
	case name == "neg" && t.float:
		f = func(x uint32) uint32 { return x ^ 1<<31 }
	case name == "neg":
		f = func(x uint32) uint32 { return -x & low }
	case name == "abs" && t.float:
		f = func(x uint32) uint32 { return x &^ (1 << 31) }
	case name == "abs" && t.bits == 32:
		f = func(x uint32) uint32 { return uint32(max(int32(x), -int32(x))) }
	case name == "popc":
		f = func(x uint32) uint32 { return uint32(bits.OnesCount32(x)) }
	case name == "clz":
		f = func(x uint32) uint32 { return uint32(bits.LeadingZeros32(x)) }
	case name == "brev":
		f = bits.Reverse32
	default:
		b.fail("the instruction is not known")
	}
	if flush && t.float {
		g := f
		f = func(x uint32) uint32 { return g(flushed(x)) }
	}
	b.in.run = map32(d, x, f)
}

// setp builds setp, with or without a second predicate.
func (b *builder) setp() {
	op := b.word()
	combine := ""
	if b.take("and") {
		combine = "and"
	} else if b.take("or") {
		combine = "or"
	} else if b.take("xor") {
		combine = "xor"
	}
	b.take("ftz")
	t := b.typ()
	b.end()
	want := 3
	if combine != "" {
		want = 4
	}
	b.want(want)
	d := b.dstp(b.o[0])
	other := -1
	if b.o[0].pair != nil {
		other = b.dstp(*b.o[0].pair)
	}
	var c compare
	switch {
	case t.name == "f64":
		c = compareFloat(op, floats64(b.src64(b.o[1], t), b.src64(b.o[2], t)))
	case t.name == "f32":
		c = compareFloat(op, floats32(b.src32(b.o[1], t), b.src32(b.o[2], t)))
	case t.float || t.bits < 16:
		b.fail("type .%s is not known", t.name)
	case t.bits == 64 && t.signed:
		c = compareS64(op, b.src64(b.o[1], t), b.src64(b.o[2], t))
	case t.bits == 64:
		c = compareU64(op, b.src64(b.o[1], t), b.src64(b.o[2], t))
	case t.bits == 32 && t.signed:
		c = compareS32(op, b.src32(b.o[1], t), b.src32(b.o[2], t))
	case t.bits == 32:
		c = compareU32(op, b.src32(b.o[1], t), b.src32(b.o[2], t))
	default:
		c = b.compare16(op, t)
	}
	if c == nil {
		b.fail("comparison .%s.%s is not known", op, t.name)
	}
	with, neg := -1, false
	if combine != "" {
		with, neg = b.srcp(b.o[3]), b.o[3].neg
	}
	b.in.run = func(w *warp, m uint32) {
		r := c(w, m)
		not := m &^ r
		if with >= 0 {
			q := w.p[with]
			if neg {
				q = ^q
			}
			switch combine {
			case "and":
				r, not = r&q, not&q
			case "or":
				r, not = r|q, not|q
			default:
				r, not = r^q, not^q
			}
		}
		w.p[d] = w.p[d]&^m | r&m
		if other >= 0 {
			w.p[other] = w.p[other]&^m | not&m
		}
	}
}

// compare16 compares 16-bit numbers, widened.
func (b *builder) compare16(op string, t typ) compare {
	x, y := b.src32(b.o[1], t), b.src32(b.o[2], t)
	return compareFloat(op, func(w *warp, l int) (float64, float64) {
		u, v := t.extend(uint64(w.r32[x][l])), t.extend(uint64(w.r32[y][l]))
		return float64(int64(u)), float64(int64(v))
	})
}

func (b *builder) selp() {
	t := b.typ()
	b.end()
	b.want(4)
	if t.bits == 64 {
		d, x, y, p := b.dst64(b.o[0]), b.src64(b.o[1], t), b.src64(b.o[2], t), b.srcp(b.o[3])
		b.in.run = func(w *warp, m uint32) {
			D, A, B, P := &w.r64[d], &w.r64[x], &w.r64[y], w.p[p]
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				if P>>l&1 != 0 {
					D[l] = A[l]
				} else {
					D[l] = B[l]
				}
			}
		}
		return
	}
	d, x, y, p := b.dst32(b.o[0]), b.src32(b.o[1], t), b.src32(b.o[2], t), b.srcp(b.o[3])
	b.in.run = func(w *warp, m uint32) {
		D, A, B, P := &w.r32[d], &w.r32[x], &w.r32[y], w.p[p]
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			if P>>l&1 != 0 {
				D[l] = A[l]
			} else {
				D[l] = B[l]
			}
		}
	}
}
