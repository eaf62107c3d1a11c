package sim

import "math/bits"

// mbarrier is a barrier in shared memory. Source: PTX ISA 9.7.13.15.
type mbarrier struct {
	at, index int      // its place, and its number in the order in which barriers began
	count     int      // arrivals of a phase
	pending   int      // arrivals that are missing
	bytes     int      // announced and not yet copied
	phase     int      // phases that have ended
	told, all *message // by those who arrived in this phase; by all of the phases that have ended
	copies    []bulkCopy
	began     stamp
	fenced    bool // the copy engine knows the barrier
}

// bulkCopy is a copy whose bytes lie in shared memory and arrive when somebody waits for them, no sooner.
type bulkCopy struct{ off, n int }

// mbarrier builds mbarrier.init, .arrive and .try_wait.
func (b *builder) mbarrier() {
	b.p.k.exact = true
	switch {
	case b.take("init"):
		b.sharedWords()
		b.want(2)
		a, count := b.address(b.o[0]), b.src32(b.o[1], types["u32"])
		b.in.run = func(w *warp, m uint32) {
			eachLane(m, func(l int) { w.beginBarrier(l, a.of(w, l), int(w.r32[count][l])) })
		}
	case b.take("arrive"):
		expect := b.take("expect_tx")
		b.sharedWords()
		if len(b.o) == 0 || b.o[0].kind != oSink {
			b.fail("only _ is known in the place of the barrier's state")
		}
		bytes := -1
		if expect {
			b.want(3)
			bytes = b.src32(b.o[2], types["u32"])
		} else {
			b.want(2)
		}
		a := b.address(b.o[1])
		b.in.run = func(w *warp, m uint32) {
			eachLane(m, func(l int) {
				n := 0
				if expect {
					n = int(w.r32[bytes][l])
				}
				w.arriveAt(w.barrierAt(l, a.of(w, l)), l, n)
			})
		}
	case b.take("try_wait"):
		if !b.take("parity") {
			b.fail("only try_wait.parity is known")
		}
		b.sharedWords()
		b.want(3)
		dst, a, parity := b.dstp(b.o[0]), b.address(b.o[1]), b.src32(b.o[2], types["u32"])
		b.in.op = opTry
		b.in.run = func(w *warp, m uint32) {
			eachLane(m, func(l int) {
				x := w.barrierAt(l, a.of(w, l))
				p := w.r32[parity][l]
				if p > 1 {
					w.fail(Bounds, l, "a parity of %d", p)
				}
				w.p[dst] &^= 1 << l
				if x.phase&1 == int(p) {
					w.deliver(x, l)
				}
				if x.phase&1 != int(p) {
					w.p[dst] |= 1 << l
					w.hear(x.all)
					return
				}
				w.tries, w.waits = true, x
			})
		}
	default:
		b.fail("the instruction is not known")
	}
}

// sharedWords reads the end of an mbarrier's name.
func (b *builder) sharedWords() {
	if !b.take("shared") && !b.take("shared::cta") {
		b.fail("the barrier must be in shared memory")
	}
	b.end2("b64")
}

func eachLane(m uint32, f func(l int)) {
	for ; m != 0; m &= m - 1 {
		f(bits.TrailingZeros32(m) & 31)
	}
}

// beginBarrier is mbarrier.init.
func (w *warp) beginBarrier(lane int, addr uint64, count int) {
	r, off := w.locate(spaceShared, addr, 8, lane)
	if count < 1 || count >= 1<<20 {
		w.fail(Bounds, lane, "an mbarrier for %d arrivals; wanted 1 to 1048575", count)
	}
	b := w.b
	if b.barriers[off] != nil {
		w.fail(Race, lane, "byte %d of shared memory is an mbarrier already", off)
	}
	if len(b.barriers) == maxBarriers {
		w.fail(Limit, lane, "more than %d mbarriers in one block", maxBarriers)
	}
	w.touchWrite(r, off, 8, lane, barrierStamp, false)
	b.barriers[off] = &mbarrier{at: off, index: len(b.barriers), count: count, pending: count, told: newMessage(), all: newMessage(), began: w.me(lane)}
	for _, other := range b.warps {
		other.lower()
	}
}

// fenceBarriers makes a thread's new barriers known to the copy engine.
func (w *warp) fenceBarriers(m uint32) {
	for _, x := range w.b.barriers {
		if t := int(x.began&threadMask) - 1; t/32 == w.id && m>>(t%32)&1 != 0 {
			x.fenced = true
		}
	}
}

// barrierAt finds the barrier that a lane works with.
func (w *warp) barrierAt(lane int, addr uint64) *mbarrier {
	_, off := w.locate(spaceShared, addr, 8, lane)
	x := w.b.barriers[off]
	if x == nil {
		w.fail(Uninitialised, lane, "byte %d of shared memory is no mbarrier: mbarrier.init has not run there, or is not put before by a barrier", off)
	}
	if x.began&threadMask != w.me(lane)&threadMask && !w.ordered(x.began, lane) {
		w.fail(Race, lane, "uses the mbarrier at byte %d of shared memory, which %s began %s", off, w.who(x.began), w.since(x.began))
	}
	return x
}

// arriveAt is an arrival that announces bytes.
func (w *warp) arriveAt(x *mbarrier, lane, bytes int) {
	if x.pending == 0 {
		w.fail(Divergence, lane, "arrives at the mbarrier at byte %d of shared memory, where all %d of this phase have arrived and %d bytes are missing", x.at, x.count, x.bytes)
	}
	if x.bytes += bytes; x.bytes >= 1<<20 {
		w.fail(Bounds, lane, "%d bytes at one mbarrier; wanted less than 1048576", x.bytes)
	}
	w.tell(x.told, 1<<lane)
	x.pending--
	w.b.endPhase(x)
}

// endPhase begins the next phase where nothing is missing in this one.
func (b *block) endPhase(x *mbarrier) {
	if x.pending > 0 || x.bytes != 0 {
		return
	}
	join(x.all.seen, x.told.seen)
	join(x.all.fenced, x.told.fenced)
	x.told = newMessage()
	x.phase++
	x.pending = x.count
}

// deliver lets the copies of a barrier arrive when all threads have, until the bytes that were announced are there.
func (w *warp) deliver(x *mbarrier, lane int) {
	if x.pending > 0 {
		return
	}
	b := w.b
	agent := copyAgent + x.index
	for phase := x.phase; len(x.copies) > 0 && x.phase == phase; {
		c := x.copies[0]
		x.copies = x.copies[1:]
		s := b.stamp | stamp(b.clock)<<clockAt | stamp(agent+1)
		for i := c.off / 4; i < (c.off+c.n)/4; i++ {
			if f := b.shared.fine; f != nil {
				f.wr[4*i], f.wr[4*i+1], f.wr[4*i+2], f.wr[4*i+3] = s, s, s, s
			} else {
				b.shared.wr[i] = s
			}
		}
		b.tick(w)
		x.told.seen[agent] = b.clock
		x.bytes -= c.n
		b.endPhase(x)
	}
}

// copyBulk is cp.async.bulk from global to shared memory.
func (w *warp) copyBulk(lane int, to, from uint64, n int, bar uint64) {
	if n == 0 || n%16 != 0 || to%16 != 0 || from%16 != 0 {
		w.fail(Misaligned, lane, "a bulk copy of %d bytes from %#x to %#x; wanted multiples of 16", n, from, to)
	}
	x := w.barrierAt(lane, bar)
	if !x.fenced {
		w.fail(Unfenced, lane, "a bulk copy counts at the mbarrier at byte %d of shared memory with no fence since mbarrier.init", x.at)
	}
	g, at := w.locate(spaceGlobal, from, 1, lane)
	if at+n > g.size {
		w.fail(Bounds, lane, "%s", w.b.d.describe(from, n))
	}
	r, off := w.locate(spaceShared, to, 16, lane)
	if off+n > r.size {
		w.fail(Bounds, lane, "%d bytes at %#x of %d bytes of shared memory", n, off, r.size)
	}
	w.touchRead(g, at, n, lane)
	w.foreign(r, off, n, lane, "overwrites with a bulk copy")
	w.touchWrite(r, off, n, lane, pendingStamp, false)
	copy(r.bytes()[off:off+n], g.bytes()[at:])
	x.copies = append(x.copies, bulkCopy{off, n})
	w.b.tick(w) // it has done something
}

// foreign checks that what threads wrote is fenced from what goes past them to shared memory.
func (w *warp) foreign(r *region, off, n, lane int, does string) {
	last := stamp(0)
	check := func(s stamp, at int) {
		if s == last || s == 0 || s >= barrierStamp || s>>blockAt != w.b.stamp>>blockAt {
			return
		}
		last = s
		t := int(s&threadMask) - 1
		if t >= productAgent || int(s>>clockAt&clockMask) < w.fenced[t] {
			return
		}
		if t/32 != w.id && !w.ordered(s, lane) {
			return // a race, which others report
		}
		w.fail(Unfenced, lane, "%s byte %d of %s, which %s wrote with no fence.proxy.async between", does, at, r.name(), w.who(s))
	}
	if r.fine != nil {
		for i := off; i < off+n; i++ {
			check(r.fine.wr[i], i)
		}
		return
	}
	for i := off / 4; i < (off+n)/4; i++ {
		check(r.wr[i], 4*i)
	}
}

// fence is fence.proxy.async: what the lanes wrote may be read by products, once a barrier has let others know.
func (w *warp) fence(m uint32) {
	w.b.tick(w)
	for l := range 32 {
		if m>>l&1 != 0 {
			w.fenced[w.id*32+l] = w.b.clock
		}
	}
	w.fenceBarriers(m)
}

// stalled reports a wait that will not end.
func (w *warp) stalled() {
	x := w.waits
	w.fail(Deadlock, bits.TrailingZeros32(w.live), "waits for phase %d of the mbarrier at byte %d of shared memory, which lacks %d of %d arrivals and %d bytes; no warp goes on",
		x.phase, x.at, x.pending, x.count, x.bytes)
}
