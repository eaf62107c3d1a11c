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
// thread, in whole fours.
func (b *Backend) stripOf(n, k int) int {
	each := max(1, n*k/(65536*b.pool.threads))
	return (ceilDiv(n, each*b.pool.threads) + 3) &^ 3
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
	if t.product.b.x == nil { // m ≤ n; four rows of numbers stay in the first cache
		depth := t.product.k
		if q := t.packed.q; t.m == 1 && depth%expandGroup(q) == 0 {
			for j := j0; j < j1; j += 4 {
				at := j * depth
				var scale *float32
				if q != backend.BF16 {
					scale = &t.packed.scales[at/q.Block()]
				}
				t.k.packedDots[q](depth, &t.a.x[0], &t.packed.codes[at/q.PerWord()], scale, &t.c[j], t.alpha, t.beta, min(4, j1-j))
			}
			return
		}
		buf := grow(t.b.scratch[w], 4*depth)
		t.b.scratch[w] = buf
		for j := j0; j < j1; j += 4 {
			n := min(4, j1-j)
			t.k.expand(buf, depth, t.packed, j*depth, depth, depth, n)
			for r := i0; r < i1; {
				r += t.tile(r, i1, j, n, &buf[0], depth)
			}
		}
		return
	}
	lies := t.product.b
	if t.n >= t.m {
		for j := j0; j < j1; j += 4 {
			for r := i0; r < i1; {
				r += t.tile(r, i1, j, min(4, j1-j), &lies.x[j*lies.ld], lies.ld)
			}
		}
		return
	}
	for r := i0; r < i1; {
		step := 0
		for j := j0; j < j1; j += 4 {
			step = t.tile(r, i1, j, min(4, j1-j), &lies.x[j*lies.ld], lies.ld)
		}
		r += step
	}
}

// tile computes the products of some rows of A from r on with n ≤ 4 rows of B, number j and the next, which lie at b; it
// returns how many.
func (t *dotRowsTask) tile(r, rEnd, j, n int, b *float32, ldb int) int {
	m := min(len(t.k.dots), rEnd-r)
	t.k.dots[m-1](t.product.k, &t.a.x[r*t.a.ld], t.a.ld, b, ldb, &t.c[r*t.ldc+j], t.ldc, t.alpha, t.beta, n)
	return m
}

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
