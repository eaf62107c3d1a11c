package sim

// copyQueue holds a thread's copies in flight: those not yet committed and the committed groups, oldest first.
type copyQueue struct {
	open   []asyncCopy
	groups [][]asyncCopy
}

// asyncCopy is one cp.async: its bytes were read when it was issued and arrive when it is waited for.
type asyncCopy struct {
	off  int // in shared memory
	n    int
	data [16]byte
}

// copyAsync issues a copy of n bytes from global to shared memory; the last n - have bytes are zeros.
func (w *warp) copyAsync(lane int, to, from uint64, n, have int) {
	c := asyncCopy{n: n}
	if have > 0 {
		if from%uint64(n) != 0 {
			w.fail(Misaligned, lane, "cp.async of %d bytes from %#x", n, from)
		}
		r, off := w.locate(spaceGlobal, from, 1, lane)
		if off+have > r.size {
			w.fail(Bounds, lane, "%s", w.b.d.describe(from, have))
		}
		w.touchRead(r, off, have, lane)
		copy(c.data[:have], r.bytes()[off:])
	}
	r, off := w.locate(spaceShared, to, n, lane)
	w.touchWrite(r, off, n, lane, pendingStamp, false)
	c.off = off
	w.copies[lane].open = append(w.copies[lane].open, c)
}

func (w *warp) commitAsync(lane int) {
	q := &w.copies[lane]
	q.groups = append(q.groups, q.open)
	q.open = nil
}

// waitAsync lets all but the last keep groups arrive: as writes of this thread, now. Others need a barrier after it.
func (w *warp) waitAsync(lane, keep int) {
	q := &w.copies[lane]
	for len(q.groups) > keep {
		for _, c := range q.groups[0] {
			r := w.b.shared
			copy(r.bytes()[c.off:c.off+c.n], c.data[:c.n])
			me := w.me(lane)
			if r.fine != nil {
				for i := c.off; i < c.off+c.n; i++ {
					r.fine.wr[i] = me
				}
				continue
			}
			for i := c.off / 4; i < (c.off+c.n)/4; i++ {
				r.wr[i] = me
			}
		}
		q.groups = q.groups[1:]
	}
}
