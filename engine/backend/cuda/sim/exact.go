package sim

// exactRead checks and marks a lane's read of n bytes of memory whose readers are all known.
func (w *warp) exactRead(r *region, off, n, lane int) {
	if n < 4 {
		r.refine()
	}
	wr, e := r.wr, r.exact
	if r.fine != nil {
		wr = r.fine.wr
	}
	lim, me := w.settled(r), w.me(lane)
	for i := off / e.each; i < (off+n)/e.each; i++ {
		if s := wr[i]; s-1 >= lim-1 {
			w.checkRead(s, r, i*e.each, lane)
		}
		e.cells[i] = remember(e.cells[i], me)
	}
}

// remember puts a stamp in the place of an older one of the same agent.
func remember(list []stamp, s stamp) []stamp {
	for i, old := range list {
		if (old^s)&threadMask == 0 {
			list[i] = s
			return list
		}
	}
	return append(list, s)
}

// exactWrite checks a lane's write of n bytes of memory whose readers are all known, and marks it as written by to.
func (w *warp) exactWrite(r *region, off, n, lane int, to stamp, atomic bool) {
	if n < 4 {
		r.refine()
	}
	wr, e := r.wr, r.exact
	if r.fine != nil {
		wr = r.fine.wr
	}
	lim, me := w.settled(r), w.me(lane)
	for i := off / e.each; i < (off+n)/e.each; i++ {
		at := i * e.each
		if wr[i] >= lim {
			w.checkWrite(wr[i], 0, r, at, lane, atomic)
		}
		for _, s := range e.cells[i] {
			if (s^me)&threadMask != 0 && !w.ordered(s, lane) {
				w.fail(Race, lane, "writes byte %d of %s, which %s read %s", at, r.name(), w.who(s), w.since(s))
			}
		}
		e.cells[i] = e.cells[i][:0]
		if e.reading[at/16] > 0 {
			w.fail(Product, lane, "writes byte %d of %s, which a product in flight reads", at, r.name())
		}
		for _, s := range e.async[at/16] {
			if !w.ordered(s, lane) {
				w.fail(Race, lane, "writes byte %d of %s, which %s read %s", at, r.name(), w.who(s), w.since(s))
			}
		}
		wr[i] = to
	}
}

// begin forgets all readers.
func (e *exactReads) begin(bytes int) {
	if words := (bytes + 3) / 4; e.each != 4 || len(e.cells) != words {
		*e = exactReads{each: 4, cells: make([][]stamp, words), async: make([][]stamp, (bytes+15)/16), reading: make([]uint16, (bytes+15)/16)}
		return
	}
	for i := range e.cells {
		e.cells[i] = e.cells[i][:0]
	}
	for i := range e.async {
		e.async[i] = e.async[i][:0]
	}
	clear(e.reading)
}
