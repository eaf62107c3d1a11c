package cpu

import (
	"unsafe"

	"tunebook/engine/backend"
)

// Products NT by weights in Int8 and Int4 run in whole numbers, those of one row with AVX2, all with AVX-512 VNNI: a block of 32 codes of A times one of B
// is exact, and blocks are added in float32, times both scales. cmd/gen/asm/int8.go says how the operands lie.
const (
	int8Block  = 32
	int8Record = 9  // words of a block of A: codes and scale
	int4Pair   = 48 // words of two blocks of A as they are multiplied by codes of 4 bits
	int8Width  = 32 // rows of B in a panel
	int8Codes  = int8Width * int8Block / 4
	int8Scales = 2 * int8Width // words of a block of a panel: scales, and where sums begin

	int8Depth = 768  // elements of a step at most: a panel and a tile's rows of A stay in the first cache
	int8Rows  = 1024 // rows of A of an item at most: they stay in the second cache
)

// int8Kernels are what such products are made of; the generated declarations say what each does.
type int8Kernels struct {
	round func(dst, x *float32, blocks int)
	sums  func(s, b *float32, blocks int)
	tiles []int8Tile                                   // highest first, ending with one row; nil where only single rows are multiplied
	pairs func(dst, a *float32, pairs int)             // arranges a row of records for codes of four bits; nil where these want none
	dots  [2]int8Dot                                   // of codes of 8 bits and of four
	bytes func(dst *float32, codes *int32, blocks int) // makes codes of 8 bits of those of four
}

type int8Dot = func(blocks int, a *float32, codes *int32, scales, c *float32, alpha, beta float32, n int)

type int8Tile struct {
	rows int
	run  func(blocks int, a *float32, lda int, b, s, c *float32, ldc int, alpha, beta float32)
}

// multiplyInt8 runs C = alpha·A·Wᵀ + beta·C, where w is in Int8 or Int4 and k consists of whole blocks.
func (b *Backend) multiplyInt8(c, a []float32, w packed, m, n, k int, alpha, beta float32) {
	blocks, panels := k/int8Block, ceilDiv(n, int8Width)
	b.rounded = grow(b.rounded, m*blocks*int8Record+blocks/2*int4Pair)
	records, row := b.rounded[:m*blocks*int8Record], b.rounded[m*blocks*int8Record:]
	b.tasks.records = recordsTask{b.k.int8, records, a, k, rowsOf(k)}
	b.pool.run(ceilDiv(m, b.tasks.records.each), &b.tasks.records)
	b.tasks.records = recordsTask{}
	if b.k.int8.oneRow(w.q, m, blocks) { // the weight is read as it lies
		if w.q == backend.Int4 && b.k.int8.pairs != nil {
			b.k.int8.pairs(&row[0], &records[0], blocks/2)
			records = row
		}
		strip := b.stripOf(n, k)
		b.tasks.int8Row = int8RowTask{k: b.k.int8, w: w, c: c, a: records, n: n, depth: k, strip: strip, alpha: alpha, beta: beta}
		b.pool.run(ceilDiv(n, strip), &b.tasks.int8Row)
		b.tasks.int8Row = int8RowTask{}
		return
	}

	parts := ceilDiv(m, int8Rows)
	if few := 4 * b.pool.threads; parts*panels < few {
		parts = max(parts, min(ceilDiv(few, panels), ceilDiv(m, 8*int8Width)))
	}
	steps := ceilDiv(k, int8Depth)
	b.tasks.int8 = int8Task{b: b, w: w, c: c, a: records, m: m, n: n, k: k, alpha: alpha, beta: beta,
		panels: panels, parts: parts, depth: ceilDiv(blocks, steps) * int8Block}
	b.pool.run(parts*panels, &b.tasks.int8)
	b.tasks.int8 = int8Task{}
}

// recordsTask rounds rows of A.
type recordsTask struct {
	k       *int8Kernels
	y, x    []float32
	n, each int // elements of a row, rows of an item
}

func (t *recordsTask) do(_, item int) {
	from := item * t.each * t.n
	to := min(from+t.each*t.n, len(t.x))
	t.k.round(&t.y[from/int8Block*int8Record], &t.x[from], (to-from)/int8Block)
}

type int8Task struct {
	b             *Backend
	w             packed
	c, a          []float32
	m, n, k       int
	alpha, beta   float32
	panels, parts int // items: each part of the rows of A with each panel
	depth         int // elements of a step
}

func (t *int8Task) do(w, item int) {
	part, col := item/t.panels, item%t.panels*int8Width
	from, to := part*t.m/t.parts, (part+1)*t.m/t.parts
	k, cols := t.b.k, min(int8Width, t.n-col)
	most := t.depth / int8Block
	tall := k.int8.tiles[0].rows
	four := t.w.q == backend.Int4
	buf := grow(t.b.scratch[w], most*(int8Codes+int8Scales)+tall*int8Width+k.lanes*most*int8Block/4)
	t.b.scratch[w] = buf
	panel, scales, bytes := carve(&buf, most*int8Codes), carve(&buf, most*int8Scales), carve(&buf, k.lanes*most*int8Block/4)
	tile := buf
	codes := words(t.w.codes)
	lda := t.k / int8Block * int8Record
	beta := t.beta
	for q := 0; q < t.k; q += t.depth {
		blocks := min(t.depth, t.k-q) / int8Block
		for l := 0; l < cols; l += k.lanes {
			at, lanes := (col+l)*t.k+q, min(k.lanes, cols-l)
			from, ld := codes[at/t.w.q.PerWord():], t.k/4
			if four {
				from, ld = bytes, blocks*int8Block/4
				for i := range lanes {
					k.int8.bytes(&bytes[i*ld], &t.w.codes[(at+i*t.k)/8], blocks)
				}
			}
			k.turn(panel[l:], int8Width, from, ld, lanes, blocks*int8Block/4)
			k.turn(scales[l:], int8Scales, t.w.scales[at/int8Block:], t.k/int8Block, lanes, blocks)
		}
		k.int8.sums(&scales[0], &panel[0], blocks)
		for r := from; r < to; {
			kernel := &k.int8.tiles[0]
			for h := 1; kernel.rows > to-r; h++ {
				kernel = &k.int8.tiles[h]
			}
			a, c := &t.a[r*lda+q/int8Block*int8Record], t.c[r*t.n+col:]
			if cols == int8Width {
				kernel.run(blocks, a, lda, &panel[0], &scales[0], &c[0], t.n, t.alpha, beta)
			} else {
				kernel.run(blocks, a, lda, &panel[0], &scales[0], &tile[0], int8Width, t.alpha, 0)
				for i := range kernel.rows {
					into(c[i*t.n:][:cols], tile[i*int8Width:], beta)
				}
			}
			r += kernel.rows
		}
		beta = 1
	}
}

// int8RowTask multiplies one row, a strip of the weight's rows an item.
type int8RowTask struct {
	k           *int8Kernels
	w           packed
	c, a        []float32
	n, depth    int
	strip       int
	alpha, beta float32
}

func (t *int8RowTask) do(_, item int) {
	from := item * t.strip
	to := min(from+t.strip, t.n)
	dot := t.k.dots[0]
	if t.w.q == backend.Int4 {
		dot = t.k.dots[1]
	}
	for j := from; j < to; j += 4 {
		at := j * t.depth
		dot(t.depth/int8Block, &t.a[0], &t.w.codes[at/t.w.q.PerWord()], &t.w.scales[at/int8Block], &t.c[j], t.alpha, t.beta, min(4, to-j))
	}
}

// into writes c = x + beta·c; with beta 0 the old c is not read.
func into(c, x []float32, beta float32) {
	for i := range c {
		v := x[i]
		if beta != 0 {
			v += beta * c[i]
		}
		c[i] = v
	}
}

// words returns codes as the words that the kernels move.
func words(codes []int32) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(codes))), len(codes))
}

// wholeNumbers tells whether a product of m rows by a weight in q runs in whole numbers.
func (b *Backend) wholeNumbers(op backend.MatOp, q backend.Quant, m, k int) bool {
	i := b.k.int8
	return i != nil && q.Rounds() && op == backend.NT && k > 0 && k%int8Block == 0 && (i.tiles != nil || i.oneRow(q, m, k/int8Block))
}

// oneRow tells whether the kernels for one row multiply m rows of so many blocks by a weight in q.
func (k *int8Kernels) oneRow(q backend.Quant, m, blocks int) bool {
	return m == 1 && (q == backend.Int8 || k.pairs == nil || blocks%2 == 0)
}
