package sim

// bitField is bfe. Source: PTX ISA 9.7.1.20.
func (b *builder) bitField() {
	t := b.typ()
	b.end()
	b.want(4)
	if t.name != "u32" && t.name != "s32" {
		b.fail("type .%s is not known", t.name)
	}
	d, x, y, z := b.dst32(b.o[0]), b.src32(b.o[1], t), b.src32(b.o[2], t), b.src32(b.o[3], t)
	b.in.run = zip3x32(d, x, y, z, func(x, at, n uint32) uint32 {
		at, n = at&255, n&255
		if n == 0 {
			return 0
		}
		v := t.extend(uint64(x))
		if t.signed {
			v = uint64(int64(v) >> min(at, 63))
		} else {
			v >>= min(at, 63)
		}
		if n >= 32 {
			return uint32(v)
		}
		if t.signed {
			return uint32(int32(v<<(32-n)) >> (32 - n))
		}
		return uint32(v) & (1<<n - 1)
	})
}

// insert is bfi: the low n bits of x in place of n bits of y from bit at on.
func (b *builder) insert() {
	u := types["b32"]
	if b.take("b64") {
		b.end()
		b.want(5)
		wide := types["b64"]
		d, x, y, at, n := b.dst64(b.o[0]), b.src64(b.o[1], wide), b.src64(b.o[2], wide), b.src32(b.o[3], u), b.src32(b.o[4], u)
		b.in.run = func(w *warp, m uint32) {
			for l := range 32 {
				if m>>l&1 == 0 {
					continue
				}
				mask := (uint64(1)<<(w.r32[n][l]&255) - 1) << (w.r32[at][l] & 255)
				w.r64[d][l] = w.r64[y][l]&^mask | w.r64[x][l]<<(w.r32[at][l]&255)&mask
			}
		}
		return
	}
	b.end2("b32")
	b.want(5)
	d, x, y, at, n := b.dst32(b.o[0]), b.src32(b.o[1], u), b.src32(b.o[2], u), b.src32(b.o[3], u), b.src32(b.o[4], u)
	b.in.run = func(w *warp, m uint32) {
		for l := range 32 {
			if m>>l&1 == 0 {
				continue
			}
			shift, width := w.r32[at][l]&255, min(w.r32[n][l]&255, 32)
			mask := uint32(uint64(1)<<width-1) << shift
			w.r32[d][l] = w.r32[y][l]&^mask | w.r32[x][l]<<shift&mask
		}
	}
}

// funnel is shf: the low or high word of two words shifted together.
func (b *builder) funnel() {
	left := b.take("l")
	if !left && !b.take("r") {
		b.fail("wanted l or r")
	}
	wrap := b.take("wrap")
	if !wrap && !b.take("clamp") {
		b.fail("wanted wrap or clamp")
	}
	b.end2("b32")
	b.want(4)
	u := types["b32"]
	d, x, y, z := b.dst32(b.o[0]), b.src32(b.o[1], u), b.src32(b.o[2], u), b.src32(b.o[3], u)
	b.in.run = zip3x32(d, x, y, z, func(lo, hi, n uint32) uint32 {
		if wrap {
			n &= 31
		}
		n = min(n, 32)
		v := uint64(hi)<<32 | uint64(lo)
		if left {
			return uint32(v << n >> 32)
		}
		return uint32(v >> n)
	})
}

// permute is prmt without a mode.
func (b *builder) permute() {
	b.end2("b32")
	b.want(4)
	u := types["b32"]
	d, x, y, z := b.dst32(b.o[0]), b.src32(b.o[1], u), b.src32(b.o[2], u), b.src32(b.o[3], u)
	b.in.run = zip3x32(d, x, y, z, func(lo, hi, sel uint32) uint32 {
		v, r := uint64(hi)<<32|uint64(lo), uint32(0)
		for i := range 4 {
			n := sel >> (4 * i) & 15
			c := uint32(v>>(8*(n&7))) & 255
			if n&8 != 0 { // the sign, in all bits
				c = uint32(int32(c<<24)>>31) & 255
			}
			r |= c << (8 * i)
		}
		return r
	})
}

// lop3 is any function of three bits, by its table.
func (b *builder) lop3() {
	b.end2("b32")
	b.want(5)
	u := types["b32"]
	d, x, y, z := b.dst32(b.o[0]), b.src32(b.o[1], u), b.src32(b.o[2], u), b.src32(b.o[3], u)
	table := b.number(b.o[4])
	b.in.run = zip3x32(d, x, y, z, func(x, y, z uint32) uint32 {
		r := uint32(0)
		for i := range 8 {
			if table>>i&1 == 0 {
				continue
			}
			p, q, s := x, y, z
			if i&4 == 0 {
				p = ^p
			}
			if i&2 == 0 {
				q = ^q
			}
			if i&1 == 0 {
				s = ^s
			}
			r |= p & q & s
		}
		return r
	})
}
