package sim

import "slices"

// What puts accesses of different threads in order: barriers. A warp that lets others know passes on what it knows itself.

// message is what travels from those who arrive at a barrier to those who wait there: by agent, the clock below which accesses come
// before, and by thread, the clock below which writes do that products may read.
type message struct{ seen, fenced []int }

func newMessage() *message { return &message{make([]int, agents), make([]int, productAgent)} }

// know makes a warp know what comes before a clock.
func (w *warp) know(clock int) {
	w.low, w.synced = clock, clock
	if !w.b.exact() {
		return
	}
	if w.seen == nil {
		w.seen, w.fenced = make([]int, agents), make([]int, productAgent)
	}
	for i := range w.seen {
		w.seen[i] = clock
	}
	clear(w.fenced)
}

// sync puts what the lanes of a warp did before in order.
func (w *warp) sync() {
	w.synced = w.b.clock
	if !w.b.exact() {
		return
	}
	for i := w.id * 32; i < w.id*32+32; i++ {
		w.seen[i] = w.b.clock
	}
	w.lower()
}

// lower computes the least of what the warp has seen of agents that there are.
func (w *warp) lower() {
	n := len(w.b.warps) * 32
	w.low = slices.Min(w.seen[:n])
	if w.groups != nil {
		w.low = min(w.low, slices.Min(w.seen[productAgent:productAgent+len(w.b.warps)]))
	}
	if k := len(w.b.barriers); k > 0 {
		w.low = min(w.low, slices.Min(w.seen[copyAgent:copyAgent+k]))
	}
}

func join(to, from []int) {
	for i, v := range from {
		if v > to[i] {
			to[i] = v
		}
	}
}

// tell adds to a message what comes before this point of the lanes m of a warp.
func (w *warp) tell(to *message, m uint32) {
	w.b.tick(w)
	join(to.seen, w.seen)
	join(to.fenced, w.fenced)
	for l := range 32 {
		if m>>l&1 != 0 {
			to.seen[w.id*32+l] = w.b.clock
		}
	}
}

// hear makes a warp know a message.
func (w *warp) hear(from *message) {
	join(w.seen, from.seen)
	join(w.fenced, from.fenced)
	w.lower()
}

// pool makes all warps at the block's barrier know what comes before it.
func (b *block) pool() {
	var all *message
	if b.exact() {
		all = newMessage()
		for _, w := range b.warps {
			join(all.seen, w.seen)
			join(all.fenced, w.fenced)
		}
		for i := range len(b.warps) * 32 {
			all.seen[i] = b.clock
		}
	}
	for _, w := range b.warps {
		if w.state != atBarrier {
			continue
		}
		w.low, w.synced = b.clock, b.clock
		if all != nil {
			w.hear(all)
		}
	}
}

// exact tells whether the block knows all readers of shared memory.
func (b *block) exact() bool { return b.shared.exact != nil }

// someBarrier is what bar.sync and bar.arrive say: the barrier's number and its threads, in registers.
type someBarrier struct{ number, threads int }

// someArrivals are the arrivals at a barrier for some warps.
type someArrivals struct {
	threads, arrived int
	waiting          []*warp
	told             *message
}

// arrive counts a warp at a barrier for some, and lets those who wait go when it is the last.
func (b *block) arrive(w *warp, s someBarrier, waits bool) {
	lane := 0
	for w.live>>lane&1 == 0 {
		lane++
	}
	number, threads := w.r32[s.number][lane], int(w.r32[s.threads][lane])
	for l := range 32 {
		if w.live>>l&1 != 0 && (w.r32[s.number][l] != number || int(w.r32[s.threads][l]) != threads) {
			w.fail(Divergence, l, "barrier %d for %d threads where lane %d has %d for %d", w.r32[s.number][l], w.r32[s.threads][l], lane, number, threads)
		}
	}
	if number < 1 || number > 15 || threads < 32 || threads%32 != 0 || threads > 32*len(b.warps) {
		w.fail(Divergence, lane, "barrier %d for %d threads; wanted 1 to 15, and a multiple of 32 up to the block's", number, threads)
	}
	a := &b.some[number]
	if a.arrived == 0 {
		a.threads, a.told = threads, newMessage()
	}
	if a.threads != threads {
		w.fail(Divergence, lane, "barrier %d for %d threads; others arrived there for %d", number, threads, a.threads)
	}
	w.tell(a.told, w.live)
	a.arrived += 32
	if waits {
		a.waiting = append(a.waiting, w)
	}
	if a.arrived < threads {
		return
	}
	b.tick(w)
	for _, other := range a.waiting {
		other.hear(a.told)
		other.proceed()
	}
	*a = someArrivals{}
}

// meet is arrive for a warp that waits.
func (b *block) meet(w *warp) { b.arrive(w, *b.k.code[w.at].some, true) }

// deadlock reports warps that wait at barriers which the others will not reach.
func (b *block) deadlock() {
	for _, w := range b.warps {
		if w.state == atSome {
			w.cur = &b.k.code[w.at]
			n := w.r32[w.cur.some.number][0]
			w.fail(Deadlock, 0, "warp %d waits at barrier %d, where %d of %d threads are; no other warp goes on", w.id, n, b.some[n].arrived, b.some[n].threads)
		}
	}
}

// finish looks at what a block leaves behind.
func (b *block) finish() {
	last := b.warps[len(b.warps)-1]
	for _, m := range b.barriers {
		if len(m.copies) > 0 {
			last.fail(Pending, 0, "the block ends while %d bytes are being copied to byte %d of shared memory", m.copies[0].n, m.copies[0].off)
		}
	}
	for _, w := range b.warps {
		if w.groups != nil {
			w.groups.finish(w)
		}
	}
}
