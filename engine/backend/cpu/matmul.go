package cpu

import (
	"fmt"

	"tunebook/engine/backend"
)

const (
	// A step of a product packs blockK words along K: of columns of B once for all threads, of rows of A for each thread, which
	// multiplies them with all of B's panels. It decides the order of sums and is the same on all machines.
	blockK = 576

	// fewRows is the largest M or N for which a product runs on its longer operand as it lies, without packing.
	fewRows = 32

	// A product with at least so many rows and columns, over at least bf16K, rounds its operands on "cpu-bf16".
	bf16MN = 64
	bf16K  = 32
)

// blocks returns how many rows of A and columns of B are packed at a time: A's take up to half of a core's second cache of l2
// bytes, B's up to half of the last one of l3. A size of 0 or less is unknown.
func blocks(l2, l3 int) (rows, cols int) {
	rows, cols = 112, 1024
	if l2 > 0 {
		rows = max(28, min(rows, l2/2/(4*blockK)))
	}
	if l3 > 0 {
		cols = max(128, min(cols, l3/2/(4*blockK)))
	}
	return rows, cols
}

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

// MatMul writes C = alpha·op(A, B) + beta·C; see backend.Ops. Sums run in float32, in chains of at most 576 products
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
	p := productOf(c, a, bb, m, n, k, op, alpha, beta)
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
	case op == backend.NN && n <= fewRows:
		p.b = b.turned(p.b, n, k)
		b.multiplyRows(p)
	case op != backend.NT && m <= fewRows:
		if op == backend.NN {
			p.a = b.turned(p.a, k, m)
		}
		b.multiplyFew(p, false)
	case op == backend.TN && n <= fewRows:
		p.m, p.n, p.a, p.b = n, m, p.b, p.a
		b.multiplyFew(p, true)
	default:
		b.multiply(b.kernelsOf(p), p)
	}
}

func productOf(c, a, bb []float32, m, n, k int, op backend.MatOp, alpha, beta float32) product {
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
	return p
}

// kernelsOf returns what multiplies a product by packed blocks.
func (b *Backend) kernelsOf(p product) *kernels {
	if b.bf16 != nil && min(p.m, p.n) >= bf16MN && p.k >= bf16K {
		return b.bf16
	}
	return b.k
}

// MatMulSum writes C = first + beta·C and adds second; see backend.Summing. A second product of few terms is added to each tile
// of the first while that is in the first cache.
func (b *Backend) MatMulSum(c backend.Buffer, first, second backend.Term, m, n int, beta float32) {
	apart := first.Packed != nil && (first.Packed.Quant.Rounds() || first.Op == backend.TN)
	if apart || second.Packed != nil || min(m, n) <= fewRows || min(first.K, second.K) <= 0 || second.K > 4*fewRows {
		first.Into(b, c, m, n, beta)
		second.Into(b, c, m, n, 1)
		return
	}
	const op = "MatMulSum"
	term := func(name string, x backend.Term) product {
		var numbers []float32
		if x.Packed == nil {
			numbers = floats(op, name+".B", x.B, n*x.K)
		}
		p := productOf(floats(op, "c", c, m*n), floats(op, name+".A", x.A, m*x.K), numbers, m, n, x.K, x.Op, x.Alpha, 1)
		if w := x.Packed; w != nil {
			p.packed = packedOf(op, w.Codes, w.Scales, n*x.K, w.Quant)
		}
		return p
	}
	p, q := term("first", first), term("second", second)
	p.beta = beta
	b.mu.Lock()
	defer b.mu.Unlock()
	b.multiplySum(b.kernelsOf(p), p, b.kernelsOf(q), q)
}

// multiply runs a product through packed blocks.
func (b *Backend) multiply(k *kernels, p product) { b.multiplySum(k, p, k, product{}) }

// multiplySum adds the product p2 of few terms, none where its k is 0, to every tile of p while that is at hand: the bits are those of p
// and then p2.
func (b *Backend) multiplySum(k *kernels, p product, k2 *kernels, p2 product) {
	width := k.width()
	// Equal steps, of whole blocks of what transpose turns.
	depth := ceilDiv(ceilDiv(p.k, ceilDiv(p.k, blockK*k.pair)), k.lanes*k.pair) * k.lanes * k.pair
	if steps := ceilDiv(p.k, depth); p2.k == 0 && p.b.x != nil && p.m*p.n <= apartSize && b.pool.threads > 1 && steps >= 2*b.pool.threads {
		b.multiplyApart(k, p, depth, steps)
		return
	}
	cols := ceilDiv(ceilDiv(p.n, ceilDiv(p.n, b.blockN)), width) * width
	b.packedB = grow(b.packedB, cols*k.words(depth)+width)

	threads := b.pool.threads
	panels := ceilDiv(p.m, k.rows)
	t := &b.tasks.product
	*t = productTask{b: b, k: k, product: p, k2: k2, second: p2, parts: 1, blocks: t.blocks[:0]}
	if p2.k > 0 {
		t.words2 = k2.words(p2.k)
		b.packedB2 = grow(b.packedB2, cols*t.words2+width)
	}
	if panels < 4*threads {
		// Few panels do not share evenly: threads share columns as well, and A is packed once per share.
		t.cut(panels, 1, b.blockM/k.rows)
		t.parts = min(ceilDiv(2*threads, len(t.blocks)), ceilDiv(min(cols, p.n), width))
	} else {
		t.cut(panels, threads, b.blockM/k.rows)
	}
	for j := 0; j < p.n; j += cols {
		for q := 0; q < p.k; q += depth {
			t.col, t.cols = j, min(cols, p.n-j)
			t.step, t.depth = q, min(depth, p.k-q)
			t.words = k.words(t.depth)
			t.betaNow = 1
			if q == 0 {
				t.betaNow = p.beta
			}
			t.sums = p2.k > 0 && q+depth >= p.k
			b.tasks.packB = packBTask{t}
			b.pool.run(ceilDiv(t.cols, width), &b.tasks.packB)
			b.pool.run(len(t.blocks)*t.parts, t)
		}
	}
	*t = productTask{blocks: t.blocks[:0]}
}

// packBTask packs one panel of B, two vectors wide, per item.
type packBTask struct{ t *productTask }

func (p *packBTask) do(w, i int) {
	t := p.t
	col := i * t.k.width()
	n := min(t.k.width(), t.cols-col)
	t.b.packPanel(w, t.k, &t.product, t.b.packedB[col*t.words:], t.col+col, n, t.step, t.depth)
	if t.sums {
		t.b.packPanel(w, t.k2, &t.second, t.b.packedB2[col*t.words2:], t.col+col, n, 0, t.second.k)
	}
}

// packPanel packs n columns of B from column from on, for depth elements from step on.
func (b *Backend) packPanel(w int, k *kernels, p *product, dst []float32, from, n, step, depth int) {
	o, width := p.b, k.width()
	switch {
	case o.x != nil:
		k.pack(dst, width, o, from, n, step, depth)
	case o.kMajor && k == b.k: // rows of the weight are rows of the panel
		k.expand(dst, width, p.packed, step*o.ld+from, o.ld, n, depth)
	default:
		at, rows, columns := from*o.ld+step, n, depth // as the weight lies
		if o.kMajor {
			at, rows, columns = step*o.ld+from, depth, n
		}
		buf := grow(b.scratch[w], rows*columns)
		b.scratch[w] = buf
		k.expand(buf, columns, p.packed, at, o.ld, columns, rows)
		k.pack(dst, width, operand{buf, columns, o.kMajor}, 0, n, 0, depth)
	}
}

// productTask multiplies one block of rows of A with the packed columns, or with a part of them.
type productTask struct {
	b *Backend
	k *kernels
	product
	blocks             [][2]int // rows of panels, from and to
	parts              int
	col, cols          int // the columns that are packed
	step, depth, words int // the part of k that is packed
	betaNow            float32

	second product // added to the tiles of the last step
	k2     *kernels
	words2 int
	sums   bool // this is that step
}

// cut cuts so many panels into blocks of at most most. Towards the end they become smaller, so that threads which
// claim one after the other end at about the same time.
func (t *productTask) cut(panels, threads, most int) {
	for at := 0; at < panels; {
		n := min(most, panels-at)
		if threads > 1 {
			n = min(n, max(2, (panels-at)/(2*threads)))
		}
		t.blocks = append(t.blocks, [2]int{at, at + n})
		at += n
	}
}

func (t *productTask) do(w, i int) {
	k, width := t.k, t.k.width()
	block, part := i/t.parts, i%t.parts
	p0, p1 := t.blocks[block][0], t.blocks[block][1]
	first := p0 * k.rows
	rows := min(p1*k.rows, t.m) - first
	// A panel begins a full vector after the end of the one before it: packing writes whole vectors.
	stride := k.rows*t.words + k.lanes
	stride2 := 0
	if t.sums {
		stride2 = k.rows*t.words2 + k.lanes
	}
	buf := grow(t.b.packedA[w], (p1-p0)*(stride+stride2))
	t.b.packedA[w] = buf
	buf2 := buf[(p1-p0)*stride:]
	k.packPanels(buf, stride, t.a, first, rows, t.step, t.depth)
	if t.sums {
		t.k2.packPanels(buf2, stride2, t.second.a, first, rows, 0, t.second.k)
	}

	panelsB := ceilDiv(t.cols, width)
	from, to := part*panelsB/t.parts, (part+1)*panelsB/t.parts
	for j := from; j < to; j++ {
		bp := &t.b.packedB[j*width*t.words]
		nr := min(width, t.cols-j*width)
		for r := 0; r < rows; r += k.rows {
			at := (first+r)*t.ldc + t.col + j*width
			k.tile(min(k.rows, rows-r), nr, t.words, &buf[r/k.rows*stride], k.rows, bp, width, t.c[at:], t.ldc, t.alpha, t.betaNow)
			if t.sums {
				t.k2.tile(min(k.rows, rows-r), nr, t.words2, &buf2[r/k.rows*stride2], k.rows, &t.b.packedB2[j*width*t.words2], width, t.c[at:], t.ldc,
					t.second.alpha, 1)
			}
		}
	}
}

// tile computes one tile of at most rows × width, cut into the heights and widths for which there are kernels. a lies
// [depth][lda], b lies [depth][ldb], in words. An element's sum does not depend on how the tile is cut.
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
