package cpu

import (
	"fmt"

	"tunebook/engine/backend"
)

// Blocks of a product. A step of depth blockK packs blockN columns of B once for all threads; every thread packs up to
// blockM rows of A for itself and multiplies them with all of B's panels. Panels of A and one panel of B stay in the
// first cache, the packed block of A in the second.
const (
	blockK = 384
	blockM = 112
	blockN = 1024

	// fewRows is the largest M or N for which a product NT runs on rows as they lie, without packing.
	fewRows = 32
)

// operand is a matrix of a product as it lies in memory, seen as lanes × k: lanes are rows of A or columns of B.
type operand struct {
	x      []float32
	ld     int
	kMajor bool // element (lane, p) lies at p·ld + lane, else at lane·ld + p
}

func (o operand) at(lane, p int) *float32 {
	if o.kMajor {
		return &o.x[p*o.ld+lane]
	}
	return &o.x[lane*o.ld+p]
}

// product is one call of MatMul.
type product struct {
	m, n, k     int
	a, b        operand
	c           []float32
	ldc         int
	alpha, beta float32
	packed      packed // b's numbers where b.x is nil
}

// MatMul writes C = alpha·op(A, B) + beta·C; see backend.Ops. Sums run in float32, in chains of at most 384 products
// with packing, and in at least eight interleaved chains when M or N is small.
func (b *Backend) MatMul(c, a, bb backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
	if m < 0 || n < 0 || k < 0 {
		panic(fmt.Sprintf("MatMul: m, n, k are %d, %d, %d; wanted 0 or more", m, n, k))
	}
	cs := floats("MatMul", "c", c, m*n)
	as := floats("MatMul", "a", a, m*k)
	bs := floats("MatMul", "b", bb, n*k)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.matMul(cs, as, bs, m, n, k, op, alpha, beta)
}

func (b *Backend) matMul(c, a, bb []float32, m, n, k int, op backend.MatOp, alpha, beta float32) {
	if m == 0 || n == 0 {
		return
	}
	p := product{m: m, n: n, k: k, c: c, ldc: n, alpha: alpha, beta: beta}
	switch op {
	case backend.NT:
		p.a, p.b = operand{a, k, false}, operand{bb, k, false}
	case backend.NN:
		p.a, p.b = operand{a, k, false}, operand{bb, n, true}
	case backend.TN:
		p.a, p.b = operand{a, m, true}, operand{bb, n, true}
	default:
		panic(fmt.Sprintf("MatMul: op %d; wanted NT, NN or TN", op))
	}
	switch {
	case k == 0:
		for i, v := range c[:m*n] {
			if beta == 0 {
				v = 0
			}
			c[i] = beta * v
		}
	case op == backend.NT && min(m, n) <= fewRows:
		b.multiplyRows(p)
	default:
		b.multiply(p)
	}
}

// multiply runs a product through packed blocks.
func (b *Backend) multiply(p product) {
	k, width := b.k, b.k.width()
	depth := ceilDiv(p.k, ceilDiv(p.k, blockK)) // equal steps
	cols := ceilDiv(ceilDiv(p.n, ceilDiv(p.n, blockN)), width) * width
	b.packedB = grow(b.packedB, cols*depth+width)

	threads := b.pool.threads
	panels := ceilDiv(p.m, k.rows)
	blocks := ceilDiv(panels, blockM/k.rows)
	t := &b.tasks.product
	*t = productTask{b: b, product: p, panels: panels, parts: 1}
	if panels < 4*threads {
		// Few panels do not share evenly: threads share columns as well, and A is packed once per share.
		t.parts = min(ceilDiv(2*threads, blocks), ceilDiv(min(cols, p.n), width))
	} else if r := blocks % threads; r != 0 {
		blocks = min(panels, blocks+threads-r)
	}
	t.blocks = blocks
	for j := 0; j < p.n; j += cols {
		for q := 0; q < p.k; q += depth {
			t.col, t.cols = j, min(cols, p.n-j)
			t.step, t.depth = q, min(depth, p.k-q)
			t.betaNow = 1
			if q == 0 {
				t.betaNow = p.beta
			}
			b.tasks.packB = packBTask{t}
			b.pool.run(ceilDiv(t.cols, width), &b.tasks.packB)
			b.pool.run(t.blocks*t.parts, t)
		}
	}
	*t = productTask{}
}

// packBTask packs one panel of B, two vectors wide, per item.
type packBTask struct{ t *productTask }

func (p *packBTask) do(w, i int) {
	t := p.t
	k, width := t.b.k, t.b.k.width()
	col := i * width
	dst, from, n := t.b.packedB[col*t.depth:], t.col+col, min(width, t.cols-col)
	o := t.product.b
	if o.x != nil {
		k.pack(dst, width, o, from, n, t.step, t.depth)
		return
	}
	if o.kMajor { // rows of the weight are rows of the panel
		k.expand(dst, width, t.packed, t.step*o.ld+from, o.ld, n, t.depth)
		return
	}
	buf := grow(t.b.scratch[w], n*t.depth)
	t.b.scratch[w] = buf
	k.expand(buf, t.depth, t.packed, from*o.ld+t.step, o.ld, t.depth, n)
	k.pack(dst, width, operand{x: buf, ld: t.depth}, 0, n, 0, t.depth)
}

// productTask multiplies one block of rows of A with the packed columns, or with a part of them.
type productTask struct {
	b *Backend
	product
	panels, blocks, parts int
	col, cols             int // the columns that are packed
	step, depth           int // the part of k that is packed
	betaNow               float32
}

func (t *productTask) do(w, i int) {
	k, width := t.b.k, t.b.k.width()
	block, part := i/t.parts, i%t.parts
	p0, p1 := block*t.panels/t.blocks, (block+1)*t.panels/t.blocks
	first := p0 * k.rows
	rows := min(p1*k.rows, t.m) - first
	// A panel begins a full vector after the end of the one before it: packing writes whole vectors.
	stride := k.rows*t.depth + k.lanes
	buf := grow(t.b.packedA[w], (p1-p0)*stride)
	t.b.packedA[w] = buf
	k.packPanels(buf, stride, t.a, first, rows, t.step, t.depth)

	panelsB := ceilDiv(t.cols, width)
	from, to := part*panelsB/t.parts, (part+1)*panelsB/t.parts
	for j := from; j < to; j++ {
		bp := &t.b.packedB[j*width*t.depth]
		nr := min(width, t.cols-j*width)
		for r := 0; r < rows; r += k.rows {
			at := (first+r)*t.ldc + t.col + j*width
			k.tile(min(k.rows, rows-r), nr, t.depth, &buf[r/k.rows*stride], k.rows, bp, width, t.c[at:], t.ldc, t.alpha, t.betaNow)
		}
	}
}

// tile computes one tile of at most rows × width, cut into the heights and widths for which there are kernels. a lies
// [k][lda], b lies [k][ldb]. An element's sum does not depend on how the tile is cut.
func (k *kernels) tile(rows, cols, depth int, a *float32, lda int, b *float32, ldb int, c []float32, ldc int, alpha, beta float32) {
	if rows == k.rows && cols == 2*k.lanes {
		k.tiles[0][1](depth, a, lda, b, ldb, &c[0], ldc, alpha, beta, 0)
		return
	}
	r := 0
	for h := range k.heights {
		height := k.heights[h]
		for ; r+height <= rows; r += height {
			ap := offset(a, r)
			switch {
			case cols == 2*k.lanes:
				k.tiles[h][1](depth, ap, lda, b, ldb, &c[r*ldc], ldc, alpha, beta, 0)
			case cols > k.lanes:
				k.tiles[h][0](depth, ap, lda, b, ldb, &c[r*ldc], ldc, alpha, beta, k.lanes)
				k.tiles[h][0](depth, ap, lda, offset(b, k.lanes), ldb, &c[r*ldc+k.lanes], ldc, alpha, beta, cols-k.lanes)
			default:
				k.tiles[h][0](depth, ap, lda, b, ldb, &c[r*ldc], ldc, alpha, beta, cols)
			}
		}
	}
}

// multiplyRows runs a product NT with few rows of A or of B: the rows are read where they lie.
func (b *Backend) multiplyRows(p product) {
	t := &b.tasks.dotRows
	*t = dotRowsTask{b: b, k: b.k, product: p}
	// An item is a strip of the longer side; about 256 KB of rows.
	t.strip = max(4, 65536/max(1, p.k)) &^ 3
	b.pool.run(ceilDiv(max(p.m, p.n), t.strip), t)
	*t = dotRowsTask{}
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
		buf := grow(t.b.scratch[w], 4*depth)
		t.b.scratch[w] = buf
		for j := j0; j < j1; j += 4 {
			n := min(4, j1-j)
			t.k.expand(buf, depth, t.packed, j*depth, depth, depth, n)
			for r := i0; r < i1; {
				m := min(len(t.k.dots), i1-r)
				t.k.dots[m-1](depth, &t.a.x[r*t.a.ld], t.a.ld, &buf[0], depth, &t.c[r*t.ldc+j], t.ldc, t.alpha, t.beta, n)
				r += m
			}
		}
		return
	}
	if t.n >= t.m {
		for j := j0; j < j1; j += 4 {
			for r := i0; r < i1; {
				r += t.tile(r, i1, j, j1)
			}
		}
		return
	}
	for r := i0; r < i1; {
		step := 0
		for j := j0; j < j1; j += 4 {
			step = t.tile(r, i1, j, j1)
		}
		r += step
	}
}

// tile computes the products of some rows of A from r on with at most four rows of B from j on; it returns how many.
func (t *dotRowsTask) tile(r, rEnd, j, jEnd int) int {
	m := min(len(t.k.dots), rEnd-r)
	t.k.dots[m-1](t.k0(), &t.a.x[r*t.a.ld], t.a.ld, &t.product.b.x[j*t.product.b.ld], t.product.b.ld,
		&t.c[r*t.ldc+j], t.ldc, t.alpha, t.beta, min(4, jEnd-j))
	return m
}

func (t *dotRowsTask) k0() int { return t.product.k }
