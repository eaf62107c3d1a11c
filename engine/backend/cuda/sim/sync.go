package sim

import "math/bits"

// barrier builds bar.sync, bar.red and bar.warp.sync.
func (b *builder) barrier() {
	if b.take("warp") {
		b.end2("sync")
		b.want(1)
		b.in.op = opWarp
		b.in.members = b.src32(b.o[0], types["b32"])
		b.in.run = func(w *warp, m uint32) {
			w.b.tick(w)
			w.sync()
		}
		return
	}
	b.take("cta")
	b.in.op = opBarrier
	if b.some() {
		return
	}
	number := func(o operand) {
		if o.kind != oImm || o.imm != 0 {
			b.fail("barrier %s; only barrier 0 for all threads is known", o.text)
		}
	}
	if b.take("sync") {
		b.take("aligned")
		b.end()
		b.want(1)
		number(b.o[0])
		return
	}
	if !b.take("red") {
		b.fail("wanted sync or red")
	}
	b.take("aligned")
	what := b.word()
	t := b.typ()
	b.end()
	b.want(3)
	number(b.o[1])
	src := b.srcp(b.o[2])
	neg := b.o[2].neg
	read := func(w *warp) uint32 {
		if neg {
			return ^w.p[src] & w.arrived
		}
		return w.p[src] & w.arrived
	}
	switch {
	case (what == "or" || what == "and") && t.name == "pred":
		dst := b.dstp(b.o[0])
		b.in.collect = func(bl *block) {
			any, all := false, true
			for _, w := range bl.warps {
				if len(w.g) > 0 {
					any, all = any || read(w) != 0, all && read(w) == w.arrived
				}
			}
			yes := any
			if what == "and" {
				yes = all
			}
			for _, w := range bl.warps {
				if len(w.g) > 0 {
					w.p[dst] &^= w.arrived
					if yes {
						w.p[dst] |= w.arrived
					}
					w.dp[dst] |= w.arrived
				}
			}
		}
	case what == "popc" && t.name == "u32":
		dst := b.dst32(b.o[0])
		b.in.collect = func(bl *block) {
			n := 0
			for _, w := range bl.warps {
				if len(w.g) > 0 {
					n += bits.OnesCount32(read(w))
				}
			}
			for _, w := range bl.warps {
				if len(w.g) > 0 {
					w.each32(dst, w.arrived, uint32(n))
					w.d32[dst] |= w.arrived
				}
			}
		}
	default:
		b.fail("reduction .%s.%s is not known", what, t.name)
	}
}

// some builds bar.sync and bar.arrive for some of the block's warps, where the instruction says how many threads.
func (b *builder) some() bool {
	arrive := len(b.mods) > 0 && b.mods[0] == "arrive"
	if !arrive && (len(b.mods) == 0 || b.mods[0] != "sync" || len(b.o) != 2) {
		return false
	}
	b.word()
	b.take("aligned")
	b.end()
	b.want(2)
	b.p.k.exact = true
	s := someBarrier{b.src32(b.o[0], types["u32"]), b.src32(b.o[1], types["u32"])}
	if !arrive {
		b.in.some = &s
		return true
	}
	b.in.op, b.in.members = opWarp, -1
	b.in.run = func(w *warp, m uint32) {
		if m != w.live {
			w.fail(Divergence, 0, "bar.arrive by lanes %s of the warp", lanes(m))
		}
		w.b.arrive(w, s, false)
	}
	return true
}

// shuffle builds shfl.sync. Source: PTX ISA 9.7.9.6.
func (b *builder) shuffle() {
	if !b.take("sync") {
		b.fail("only shfl.sync is known")
	}
	mode := b.word()
	b.end2("b32")
	b.want(5)
	d := b.o[0]
	pred := -1
	if d.pair != nil {
		pred = b.dstp(*d.pair)
	}
	dst := b.dst32(d)
	src, lane, clamp := b.src32(b.o[1], types["b32"]), b.src32(b.o[2], types["b32"]), b.src32(b.o[3], types["b32"])
	b.in.op = opWarp
	b.in.members = b.src32(b.o[4], types["b32"])
	if mode != "bfly" && mode != "idx" && mode != "up" && mode != "down" {
		b.fail("mode .%s is not known", mode)
	}
	b.in.run = func(w *warp, m uint32) {
		from := w.r32[src]
		for l := range 32 {
			if m>>l&1 == 0 {
				continue
			}
			bv, c := int(w.r32[lane][l]&31), w.r32[clamp][l]
			seg := int(c >> 8 & 31)
			top, low := l&seg|int(c&31)&^seg, l&seg
			var j int
			var in bool
			switch mode {
			case "up":
				j = l - bv
				in = j >= top
			case "down":
				j = l + bv
				in = j <= top
			case "bfly":
				j = l ^ bv
				in = j <= top
			default:
				j = low | bv&^seg
				in = j <= top
			}
			if !in {
				j = l
			}
			if m>>j&1 == 0 {
				w.fail(Divergence, l, "reads lane %d, which does not take part", j)
			}
			w.r32[dst][l] = from[j]
			if pred >= 0 {
				w.p[pred] &^= 1 << l
				if in {
					w.p[pred] |= 1 << l
				}
			}
		}
	}
}

// vote builds vote.sync.
func (b *builder) vote() {
	if !b.take("sync") {
		b.fail("only vote.sync is known")
	}
	mode := b.word()
	t := b.typ()
	b.end()
	b.want(3)
	src, neg := b.srcp(b.o[1]), b.o[1].neg
	b.in.op = opWarp
	b.in.members = b.src32(b.o[2], types["b32"])
	read := func(w *warp, m uint32) uint32 {
		if neg {
			return ^w.p[src] & m
		}
		return w.p[src] & m
	}
	if mode == "ballot" && t.name == "b32" {
		dst := b.dst32(b.o[0])
		b.in.run = func(w *warp, m uint32) { w.each32(dst, m, read(w, m)) }
		return
	}
	if t.name != "pred" {
		b.fail("type .%s", t.name)
	}
	dst := b.dstp(b.o[0])
	var f func(v, m uint32) bool
	switch mode {
	case "any":
		f = func(v, m uint32) bool { return v != 0 }
	case "all":
		f = func(v, m uint32) bool { return v == m }
	case "uni":
		f = func(v, m uint32) bool { return v == 0 || v == m }
	default:
		b.fail("mode .%s is not known", mode)
	}
	b.in.run = func(w *warp, m uint32) {
		yes := f(read(w, m), m)
		w.p[dst] &^= m
		if yes {
			w.p[dst] |= m
		}
	}
}

// copy builds cp.async and what commits and waits for it.
func (b *builder) copy() {
	if !b.take("async") {
		b.fail("the instruction is not known")
	}
	each := eachLane
	switch {
	case b.take("commit_group"):
		b.end()
		b.want(0)
		b.in.run = func(w *warp, m uint32) { each(m, w.commitAsync) }
	case b.take("wait_group"):
		b.end()
		b.want(1)
		keep := b.number(b.o[0])
		b.in.run = func(w *warp, m uint32) { each(m, func(l int) { w.waitAsync(l, keep) }) }
	case b.take("wait_all"):
		b.end()
		b.want(0)
		b.in.run = func(w *warp, m uint32) {
			each(m, func(l int) {
				w.commitAsync(l)
				w.waitAsync(l, 0)
			})
		}
	case b.take("bulk"):
		for _, s := range []string{"shared::cluster", "global", "mbarrier::complete_tx::bytes"} {
			if !b.take(s) && !(s == "shared::cluster" && b.take("shared::cta")) {
				b.fail("only copies from global to shared memory that an mbarrier counts are known")
			}
		}
		b.end()
		b.want(4)
		b.p.k.exact = true
		to, from, n, bar := b.address(b.o[0]), b.address(b.o[1]), b.src32(b.o[2], types["u32"]), b.address(b.o[3])
		b.in.run = func(w *warp, m uint32) {
			each(m, func(l int) { w.copyBulk(l, to.of(w, l), from.of(w, l), int(w.r32[n][l]), bar.of(w, l)) })
		}
	case len(b.mods) > 0 && (b.mods[0] == "ca" || b.mods[0] == "cg"):
		large := b.word() == "cg" // past the L1 cache, which takes 16 bytes only
		if !b.take("shared") && !b.take("shared::cta") {
			b.fail("the destination must be .shared")
		}
		if !b.take("global") {
			b.fail("the source must be .global")
		}
		for len(b.mods) > 0 && (b.mods[0] == "L2::128B" || b.mods[0] == "L2::256B" || b.mods[0] == "L2::64B") {
			b.word()
		}
		b.end()
		if len(b.o) != 3 && len(b.o) != 4 {
			b.fail("%d operands; wanted 3 or 4", len(b.o))
		}
		to, from := b.address(b.o[0]), b.address(b.o[1])
		n := b.number(b.o[2])
		if n != 16 && (large || n != 4 && n != 8) {
			b.fail("copies of %d bytes", n)
		}
		size := -1
		if len(b.o) == 4 {
			size = b.src32(b.o[3], types["u32"])
		}
		b.in.run = func(w *warp, m uint32) {
			each(m, func(l int) {
				have := n
				if size >= 0 {
					have = int(w.r32[size][l])
					if have > n {
						w.fail(Bounds, l, "cp.async reads %d of %d bytes", have, n)
					}
				}
				w.copyAsync(l, to.of(w, l), from.of(w, l), n, have)
			})
		}
	default:
		b.fail("the instruction is not known")
	}
}

// number reads an operand that must be a number as written.
func (b *builder) number(o operand) int {
	if o.kind != oImm || o.fbits != 0 {
		b.fail("%s is no number", o.text)
	}
	return int(o.imm)
}
