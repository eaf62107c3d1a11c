package cpu

import "tunebook/engine/backend"

// Products with few rows on one side, as in decoding and in adapters: packing the other operand would take as long as
// multiplying it, so kernels read it where it lies. Operands whose rows run along K go to dot kernels, those whose rows run
// across K to the tiles.

// multiplyRows runs a product NT with few rows of A or of B: the rows are read where they lie.
func (b *Backend) multiplyRows(p product) {
	t := &b.tasks.dotRows
	*t = dotRowsTask{b: b, k: b.k, product: p}
	t.strip = b.stripOf(max(p.m, p.n), p.k) // of the longer side
	b.pool.run(ceilDiv(max(p.m, p.n), t.strip), t)
	*t = dotRowsTask{}
}

// stripOf returns how many of n rows of k elements make an item: about 65,536 elements, as many items of like size for every
// thread, in whole eights.
func (b *Backend) stripOf(n, k int) int {
	each := max(1, n*k/(65536*b.pool.threads))
	return (ceilDiv(n, each*b.pool.threads) + 7) &^ 7
}

type dotRowsTask struct {
	b *Backend
	k *kernels
	product
	strip int
}

func (t *dotRowsTask) do(w, i int) {
	i0, i1, j0, j1 := 0, t.m, 0, t.n
	from := i * t.strip
	if t.n >= t.m {
		j0, j1 = from, min(from+t.strip, t.n)
	} else {
		i0, i1 = from, min(from+t.strip, t.m)
	}
	// The few rows are walked in the inner loop: the strip is read from memory once.
	if t.product.b.x == nil { // m ≤ n; some rows of numbers stay in the first cache
		depth := t.product.k
		q := t.packed.q
		if t.m == 1 && depth%expandGroup(q) == 0 {
			for j := j0; j < j1; j += 4 {
				at := j * depth
				var scale *float32
				if q != backend.BF16 {
					scale = &t.packed.scales[at/q.Block()]
				}
				t.k.packedDots[q.Layout()](depth, &t.a.x[0], &t.packed.codes[at/q.PerWord()], scale, &t.c[j], t.alpha, t.beta, min(4, j1-j))
			}
			return
		}
		buf := grow(t.b.scratch[w], t.k.columns*depth)
		t.b.scratch[w] = buf
		codes := words(t.packed.codes)
		for j := j0; j < j1; j += t.k.columns {
			n := min(t.k.columns, j1-j)
			t.k.expand(buf, depth, t.packed, j*depth, depth, depth, n)
			t.rows(i0, i1, j, n, &buf[0], depth, codes[min((j+n)*depth, t.n*depth)/q.PerWord():])
		}
		return
	}
	lies := t.product.b
	if t.n >= t.m {
		for j := j0; j < j1; j += t.k.columns {
			n := min(t.k.columns, j1-j)
			t.rows(i0, i1, j, n, &lies.x[j*lies.ld], lies.ld, lies.x[min((j+n)*lies.ld, len(lies.x)):])
		}
		return
	}
	for r := i0; r < i1; {
		m := min(len(t.k.dots), i1-r)
		for j := j0; j < j1; j += t.k.columns {
			t.k.dots[m-1](t.product.k, &t.a.x[r*t.a.ld], t.a.ld, &lies.x[j*lies.ld], lies.ld, &t.c[r*t.ldc+j], t.ldc, t.alpha, t.beta,
				min(t.k.columns, j1-j), &t.a.x[r*t.a.ld])
		}
		r += m
	}
}

// rows computes the products of rows of A from r to end with n rows of B, number j and the next, which lie at b. Meanwhile it fetches what is
// wanted next, the words from next on.
func (t *dotRowsTask) rows(r, end, j, n int, b *float32, ldb int, next []float32) {
	next = next[:min(len(next), t.k.columns*ldb)]
	depth := t.product.k
	if depth > dotDepth && end-r > len(t.k.dots) { // B is read for every few rows of A: from the first cache
		depth = ceilDiv(ceilDiv(depth, ceilDiv(depth, dotDepth)), t.k.lanes) * t.k.lanes
	}
	beta := t.beta
	for q := 0; q < t.product.k; q += depth {
		d := min(depth, t.product.k-q)
		for i := r; i < end; {
			m := min(len(t.k.dots), end-i)
			ahead := offset(b, q)
			if fetched := t.k.columns / m * d; fetched <= len(next) {
				ahead, next = &next[0], next[fetched:]
			}
			t.k.dots[m-1](d, &t.a.x[i*t.a.ld+q], t.a.ld, offset(b, q), ldb, &t.c[i*t.ldc+j], t.ldc, t.alpha, beta, n, ahead)
			i += m
		}
		beta = 1
	}
}

const dotDepth = 768 // elements along K of which eight rows stay in the first cache

// turned returns an operand of a few lanes that lies the other way round: n rows of k elements become k rows of n, or lanes
// rows of depth elements depth rows of lanes.   o as rows × columns in memory
func (b *Backend) turned(o operand, columns, rows int) operand {
	ld := ceilDiv(rows, b.k.lanes) * b.k.lanes // whole vectors are written
	b.packedB = grow(b.packedB, columns*ld)
	for l := 0; l < rows; l += b.k.lanes {
		b.k.turn(b.packedB[l:], ld, o.x[l*o.ld:], o.ld, min(b.k.lanes, rows-l), columns)
	}
	return operand{b.packedB, ld, !o.kMajor}
}

// An item of multiplyFew has so many columns; a step along K keeps their rows in the second cache.
const (
	stripColumns = 64
	stripDepth   = 384
)

// multiplyFew runs a product whose operands both lie across K, with few rows. turned tells that C lies transposed.
func (b *Backend) multiplyFew(p product, turned bool) {
	t := &b.tasks.few
	*t = fewTask{b: b, product: p, turned: turned, step: b.k.evenHeight(p.m)}
	b.pool.run(ceilDiv(p.n, stripColumns), t)
	*t = fewTask{}
}

type fewTask struct {
	b *Backend
	product
	turned bool
	step   int // the height of tiles
}

func (t *fewTask) do(w, i int) {
	k, width := t.b.k, t.b.k.width()
	first := i * stripColumns
	cols := min(stripColumns, t.n-first)
	c, ldc, beta := t.c[min(first, len(t.c)):], t.ldc, t.beta
	var lines []float32 // of the turned result
	lanes := ceilDiv(t.m, k.lanes) * k.lanes
	if t.turned {
		buf := grow(t.b.scratch[w], stripColumns*(t.m+lanes))
		t.b.scratch[w] = buf
		c, lines = buf[:stripColumns*t.m], buf[stripColumns*t.m:]
		ldc, beta = stripColumns, 0
	}
	for q := 0; q < t.product.k; q += stripDepth {
		depth := min(stripDepth, t.product.k-q)
		for j := 0; j < cols; j += width {
			for r := 0; r < t.m; r += t.step {
				k.tile(min(t.step, t.m-r), min(width, cols-j), depth, t.a.at(r, q), t.a.ld, t.product.b.at(first+j, q), t.product.b.ld,
					c[r*ldc+j:], ldc, t.alpha, beta)
			}
		}
		beta = 1
	}
	if !t.turned {
		return
	}
	for l := 0; l < t.m; l += k.lanes {
		k.turn(lines[l:], lanes, c[l*ldc:], ldc, min(k.lanes, t.m-l), cols)
	}
	for j := range cols {
		to, from := t.c[(first+j)*t.m:(first+j+1)*t.m], lines[j*lanes:]
		switch t.beta {
		case 0:
			copy(to, from)
			continue
		case 1:
		default:
			k.scale(&to[0], &to[0], t.beta, t.m)
		}
		k.axpy(&to[0], &from[0], 1, t.m)
	}
}

// evenHeight returns the height of tiles into which rows are best cut. A tile of two rows or one takes as long as one of
// four: its sums are too few to hide how long an addition takes.
func (k *kernels) evenHeight(rows int) int {
	best, least := k.rows, 0
	for _, h := range k.heights {
		cost := 0
		for left := rows; left > 0; {
			n := min(h, left)
			for _, lower := range k.heights {
				if lower <= n {
					n = lower
					break
				}
			}
			cost += max(4, n)
			left -= n
		}
		if least == 0 || cost < least {
			best, least = h, cost
		}
	}
	return best
}
