package sim

import (
	"math"
	"math/bits"
)

// address computes a lane's address.
type address struct {
	wide bool // a 64-bit register
	slot int
	off  int64
}

func (a address) of(w *warp, lane int) uint64 {
	if a.wide {
		return w.r64[a.slot][lane] + uint64(a.off)
	}
	return uint64(uint32(int64(w.r32[a.slot][lane]) + a.off))
}

// loadWords reads n words at each lane's address into registers. A word that needs no closer look takes a few steps: its last
// writer is settled, and its readers since the last barrier are known to be several or it had none.
func (w *warp) loadWords(m uint32, sp space, a address, dst []int) {
	n := len(dst)
	if m == fullMask && sp == spaceShared && !a.wide && w.loadSame(a, dst) {
		return
	}
	if n == 1 && sp != spaceGeneric && sp != spaceLocal && w.loadRow(m, sp, a, dst[0]) {
		return
	}
	var r *region
	var words []uint32
	var wr, rd []stamp
	var lim, now, me, size stamp
	id := stamp(w.id)
	for ; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m) & 31
		addr := a.of(w, l)
		at := addr
		if r != nil {
			at -= r.base
		}
		if r == nil || at > size || at+uint64(4*n) > size || at&uint64(4*n-1) != 0 {
			if sp == spaceGeneric || sp == spaceLocal {
				other, off := w.locate(sp, addr, 4*n, l)
				w.touchRead(other, off, 4*n, l)
				for j, d := range dst {
					w.r32[d][l] = other.words[off/4+j]
				}
				continue
			}
			var off int
			r, off = w.locate(sp, addr, 4*n, l)
			at = uint64(off)
			lim, now, me = w.settled(r), w.b.stamp|stamp(w.b.clock)<<clockAt, w.me(0)
			words, wr, rd, size = r.words, r.wr, r.rd, uint64(r.size)
		}
		i := int(at >> 2)
		if r.fine != nil || r.exact != nil {
			w.touchRead(r, int(at), 4*n, l)
			for j, d := range dst {
				w.r32[d][l] = words[i+j]
			}
			continue
		}
		for j, d := range dst {
			w.r32[d][l] = words[i+j]
			if s := wr[i+j]; s-1 >= lim-1 {
				w.checkRead(s, r, 4*(i+j), l)
			}
			mine := me + stamp(l)
			switch old := rd[i+j]; {
			case old < lim:
				rd[i+j] = mine
			case old < now:
				rd[i+j] = w.reader(old, l)
			case old&flagOther != 0: // it stays so until the next barrier
			case (old&threadMask-1)/32 != id && old>>blockAt == mine>>blockAt:
				rd[i+j] = mine | flagOther | old&(flagSame|flagBlocks)
			case old != mine:
				rd[i+j] = w.reader(old, l)
			}
		}
	}
}

// loadRow is loadWords of one word for lanes 0, 1, … that read consecutive words, settled ones. It returns false, having done
// nothing, where that is not so.
func (w *warp) loadRow(m uint32, sp space, a address, dst int) bool {
	n := bits.OnesCount32(m)
	if m&(m+1) != 0 || n < 4 { // not the first n lanes
		return false
	}
	first := a.of(w, 0)
	if a.wide {
		at, want := &w.r64[a.slot], w.r64[a.slot][0]
		for l := range n {
			if at[l&31] != want {
				return false
			}
			want += 4
		}
	} else {
		at, want := &w.r32[a.slot], w.r32[a.slot][0]
		for l := range n {
			if at[l&31] != want {
				return false
			}
			want += 4
		}
	}
	r, off := w.locate(sp, first, 4, 0)
	if r.fine != nil || r.exact != nil || off+4*n > r.size {
		return false
	}
	i := off >> 2
	words, wr, rd := r.words[i:i+n], r.wr[i:i+n], r.rd[i:i+n]
	lim := w.settled(r)
	for _, s := range wr {
		if s-1 >= lim-1 {
			return false
		}
	}
	now, mine := w.b.stamp|stamp(w.b.clock)<<clockAt, w.me(0)
	for l, old := range rd {
		if old < lim {
			rd[l] = mine
		} else if old != mine && (old < now || old&flagOther == 0) {
			rd[l] = w.reader(old, l)
		}
		mine++
	}
	copy(w.r32[dst][:], words)
	return true
}

// loadSame is loadWords where all lanes read the same words of shared memory, settled ones. It returns false, having done
// nothing, where that is not so.
func (w *warp) loadSame(a address, dst []int) bool {
	at := &w.r32[a.slot]
	first := at[0]
	if first != at[31] {
		return false
	}
	for _, x := range at {
		if x != first {
			return false
		}
	}
	r, n := w.b.shared, len(dst)
	addr := uint64(uint32(int64(first) + a.off))
	if r.fine != nil || r.exact != nil || addr+uint64(4*n) > uint64(r.size) || addr&uint64(4*n-1) != 0 {
		return false
	}
	i := int(addr >> 2)
	lim, now := w.settled(r), w.b.stamp|stamp(w.b.clock)<<clockAt
	for j := range n {
		if s := r.wr[i+j]; s-1 >= lim-1 {
			return false
		}
	}
	for j, d := range dst {
		if old := r.rd[i+j]; old < now || old&flagOther == 0 {
			r.rd[i+j] = w.reader(w.reader(old, 0), 31)
		}
		v := r.words[i+j]
		D := &w.r32[d]
		for l := range D {
			D[l] = v
		}
	}
	return true
}

// storeWords writes registers to n words at each lane's address.
func (w *warp) storeWords(m uint32, sp space, a address, src []int) {
	n := len(src)
	for ; m != 0; m &= m - 1 {
		l := bits.TrailingZeros32(m) & 31
		r, off := w.locate(sp, a.of(w, l), 4*n, l)
		w.touchWrite(r, off, 4*n, l, w.me(l), false)
		for j, s := range src {
			r.words[off/4+j] = w.r32[s][l]
		}
	}
}

// memory builds ld, ldu and st.
func (b *builder) memory(store bool) {
	sp := spaceGeneric
	for more := true; more; {
		switch {
		case b.take("global"):
			sp = spaceGlobal
		case b.take("shared"), b.take("shared::cta"):
			sp = spaceShared
		case b.take("local"):
			sp = spaceLocal
		case b.take("const"):
			sp = spaceGlobal
		case b.take("param"):
			sp = spaceParam
		case b.take("nc"), b.take("volatile"), b.take("relaxed"), b.take("gpu"), b.take("cta"), b.take("cg"), b.take("cs"), b.take("ca"), b.take("lu"), b.take("wb"), b.take("wt"), b.take("weak"):
		default:
			more = false
		}
	}
	count := 1
	if b.take("v2") {
		count = 2
	} else if b.take("v4") {
		count = 4
	}
	t := b.typ()
	b.end()
	b.want(2)
	value, addr := b.o[0], b.o[1]
	if store {
		value, addr = b.o[1], b.o[0]
	}
	if addr.kind != oAddr {
		b.fail("%s is no address", addr.text)
	}
	values := []operand{value}
	if count > 1 {
		if value.kind != oVec || len(value.vec) != count {
			b.fail("%s; wanted a vector of %d", value.text, count)
		}
		values = value.vec
	}
	size := t.bits / 8
	if sp == spaceParam {
		if store || count > 1 {
			b.fail("only single loads of parameters are known")
		}
		b.loadParam(t, value, addr)
		return
	}
	a := b.address(addr)
	// registers: 64-bit values are two words each
	var slots, low []int
	for _, v := range values {
		switch {
		case store && size == 8:
			slots = append(slots, b.src64(v, t))
		case store && b.is64(v): // the low bits of a wider register
			if count > 1 {
				b.fail("a vector of words out of 64-bit registers")
			}
			low = append(low, b.src64(v, t))
			slots = append(slots, b.p.newReg(c32).slot)
		case store:
			slots = append(slots, b.src32(v, t))
		case v.kind == oSink:
			slots = append(slots, b.p.newReg(c32).slot)
		case b.is64(v):
			slots = append(slots, b.dst64(v))
		default:
			slots = append(slots, b.dst32(v))
		}
	}
	defer func() {
		if len(low) == 0 {
			return
		}
		run := b.in.run
		b.in.run = func(w *warp, m uint32) {
			for l := range 32 {
				w.r32[slots[0]][l] = uint32(w.r64[low[0]][l])
			}
			run(w, m)
		}
	}()
	switch {
	case size == 4 && !store:
		for _, v := range values {
			if v.kind != oSink && b.is64(v) { // ld.s32 into a 64-bit register
				if count > 1 {
					b.fail("a vector of words into 64-bit registers")
				}
				word := []int{b.p.newReg(c32).slot}
				b.in.run = func(w *warp, m uint32) {
					w.loadWords(m, sp, a, word)
					for ; m != 0; m &= m - 1 {
						l := bits.TrailingZeros32(m) & 31
						w.r64[slots[0]][l] = t.extend(uint64(w.r32[word[0]][l]))
					}
				}
				return
			}
		}
		b.in.run = func(w *warp, m uint32) { w.loadWords(m, sp, a, slots) }
	case size == 4:
		b.in.run = func(w *warp, m uint32) { w.storeWords(m, sp, a, slots) }
	default:
		n := size * count
		b.in.run = func(w *warp, m uint32) {
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				r, off := w.locate(sp, a.of(w, l), n, l)
				if store {
					w.touchWrite(r, off, n, l, w.me(l), false)
				} else {
					w.touchRead(r, off, n, l)
				}
				mem := r.bytes()[off : off+n]
				for j, s := range slots {
					x := mem[j*size : (j+1)*size]
					if store {
						v := uint64(0)
						if size == 8 {
							v = w.r64[s][l]
						} else {
							v = uint64(w.r32[s][l])
						}
						for i := range x {
							x[i] = byte(v >> (8 * i))
						}
						continue
					}
					v := uint64(0)
					for i := range x {
						v |= uint64(x[i]) << (8 * i)
					}
					v = t.extend(v)
					if values[j].kind != oSink && b64(values[j]) {
						w.r64[s][l] = v
					} else {
						w.r32[s][l] = uint32(v)
					}
				}
			}
		}
	}
}

func b64(o operand) bool { return o.kind == oReg && o.reg.class == c64 }

// loadParam reads a parameter: the same in every lane.
func (b *builder) loadParam(t typ, value, addr operand) {
	if addr.base.kind != oSymbol {
		b.fail("a parameter by register")
	}
	at := -1
	for _, p := range b.p.k.Params {
		if p.Name == addr.base.label {
			at = p.at + int(addr.off)
			if addr.off < 0 || int(addr.off)+t.bits/8 > p.Bytes {
				b.fail("%d bytes at %d of parameter %s, which has %d", t.bits/8, addr.off, p.Name, p.Bytes)
			}
		}
	}
	if at < 0 {
		b.fail("no parameter %s", addr.base.label)
	}
	size := t.bits / 8
	get := func(w *warp) uint64 {
		v := uint64(0)
		for i := range size {
			v |= uint64(w.b.params[at+i]) << (8 * i)
		}
		return t.extend(v)
	}
	if b.is64(value) {
		d := b.dst64(value)
		b.in.run = func(w *warp, m uint32) {
			v := get(w)
			for ; m != 0; m &= m - 1 {
				w.r64[d][bits.TrailingZeros32(m)&31] = v
			}
		}
		return
	}
	d := b.dst32(value)
	b.in.run = func(w *warp, m uint32) {
		v := uint32(get(w))
		for ; m != 0; m &= m - 1 {
			w.r32[d][bits.TrailingZeros32(m)&31] = v
		}
	}
}

// atomic builds atom and red.
func (b *builder) atomic(reduction bool) {
	sp := spaceGeneric
	for more := true; more; {
		switch {
		case b.take("global"):
			sp = spaceGlobal
		case b.take("shared"), b.take("shared::cta"):
			sp = spaceShared
		case b.take("relaxed"), b.take("gpu"), b.take("cta"), b.take("sys"):
		default:
			more = false
		}
	}
	what := b.word()
	t := b.typ()
	b.end()
	if t.bits != 32 && t.bits != 64 {
		b.fail("an atomic operation on %d bits", t.bits)
	}
	want := 3
	if what == "cas" {
		want = 4
	}
	o := b.o
	if reduction {
		o = append([]operand{{kind: oSink}}, o...)
	}
	if len(o) != want {
		b.fail("%d operands; wanted %d", len(o), want)
	}
	f := atomics(what, t)
	if f == nil {
		b.fail("atomic operation %s.%s is not known", what, t.name)
	}
	a := b.address(o[1])
	wide := t.bits == 64
	var dst, x, y int
	y = -1
	src := func(v operand) int {
		if wide {
			return b.src64(v, t)
		}
		return b.src32(v, t)
	}
	x = src(o[2])
	if what == "cas" {
		y = src(o[3])
	}
	switch {
	case o[0].kind == oSink && wide:
		dst = b.p.newReg(c64).slot
	case o[0].kind == oSink:
		dst = b.p.newReg(c32).slot
	case wide:
		dst = b.dst64(o[0])
	default:
		dst = b.dst32(o[0])
	}
	n := t.bits / 8
	b.in.run = func(w *warp, m uint32) {
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			r, off := w.locate(sp, a.of(w, l), n, l)
			for i := off; i < off+n; i += 4 {
				if r.fine == nil && r.wr[i/4] == 0 {
					w.fail(Uninitialised, l, "byte %d of %s was never written", i, r.name())
				}
			}
			w.touchWrite(r, off, n, l, w.me(l)|flagAtomic, true)
			i := off / 4
			if wide {
				old := uint64(r.words[i]) | uint64(r.words[i+1])<<32
				var c uint64
				if y >= 0 {
					c = w.r64[y][l]
				}
				v := f(old, w.r64[x][l], c)
				r.words[i], r.words[i+1] = uint32(v), uint32(v>>32)
				w.r64[dst][l] = old
				continue
			}
			old := r.words[i]
			var c uint64
			if y >= 0 {
				c = uint64(w.r32[y][l])
			}
			r.words[i] = uint32(f(uint64(old), uint64(w.r32[x][l]), c))
			w.r32[dst][l] = old
		}
	}
}

// atomics returns what an operation leaves in memory.
func atomics(what string, t typ) func(old, x, y uint64) uint64 {
	signed := func(v uint64) int64 { return int64(t.extend(v)) }
	switch what {
	case "cas":
		return func(old, x, y uint64) uint64 {
			if old == x {
				return y
			}
			return old
		}
	case "exch":
		return func(_, x, _ uint64) uint64 { return x }
	case "and":
		return func(old, x, _ uint64) uint64 { return old & x }
	case "or":
		return func(old, x, _ uint64) uint64 { return old | x }
	case "xor":
		return func(old, x, _ uint64) uint64 { return old ^ x }
	case "add":
		switch t.name {
		case "f32":
			return func(old, x, _ uint64) uint64 {
				return uint64(bits32(float32of(uint32(old)) + float32of(uint32(x))))
			}
		case "f64":
			return func(old, x, _ uint64) uint64 {
				return math.Float64bits(math.Float64frombits(old) + math.Float64frombits(x))
			}
		}
		return func(old, x, _ uint64) uint64 { return old + x }
	case "min", "max":
		if t.float {
			return nil
		}
		return func(old, x, _ uint64) uint64 {
			less := old < x
			if t.signed {
				less = signed(old) < signed(x)
			}
			if less == (what == "min") {
				return old
			}
			return x
		}
	}
	return nil
}
