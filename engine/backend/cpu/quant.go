package cpu

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

// packed is a weight held in codes and scales.
type packed struct {
	codes  []int32
	scales []float32
	q      backend.Quant
}

// packedOf checks the operands of a weight of n numbers.
func packedOf(op string, codes, scales backend.Buffer, n int, q backend.Quant) packed {
	return packed{ints(op, "codes", codes, q.Codes(n)), floats(op, "scales", scales, q.Scales(n)), q}
}

// expandGroup returns how many elements the kernels write at a time: whole blocks.
func expandGroup(q backend.Quant) int { return max(32, q.Block()) }

// expand writes rows of cols numbers to dst, ldd apart; row r begins at element from+r·ld of the weight.
func (k *kernels) expand(dst []float32, ldd int, w packed, from, ld, cols, rows int) {
	g := expandGroup(w.q)
	if rows <= 0 || cols <= 0 {
		return
	}
	if from%g != 0 || ld%g != 0 && rows > 1 {
		for r := range rows {
			at := from + r*ld
			head := min(cols, (g-at%g)%g)
			w.some(dst[r*ldd:r*ldd+head], at)
			if head < cols {
				k.expand(dst[r*ldd+head:], ldd, w, at+head, g, cols-head, 1)
			}
		}
		return
	}
	groups := cols / g
	if groups > 0 {
		var scale *float32
		if w.q != backend.BF16 {
			scale = &w.scales[from/w.q.Block()]
		}
		k.expands[w.q.Layout()](&dst[0], ldd, &w.codes[from/w.q.PerWord()], scale, ld/g, groups, rows)
	}
	if done := groups * g; done < cols {
		for r := range rows {
			w.some(dst[r*ldd+done:r*ldd+cols], from+r*ld+done)
		}
	}
}

// some writes the numbers from element from on, one by one.
func (w packed) some(dst []float32, from int) {
	per, block := w.q.PerWord(), w.q.Block()
	for i := range dst {
		at := from + i
		word := uint32(w.codes[at/per]) >> (at % per * (32 / per))
		switch w.q.Layout() {
		case backend.Q8_0:
			dst[i] = w.scales[at/block] * float32(int8(word))
		case backend.BF16:
			dst[i] = math.Float32frombits(word << 16)
		default:
			dst[i] = w.scales[at/block] * w.q.Levels()[word&15]
		}
	}
}

// Dequantize writes the numbers that blocks of codes stand for; see backend.Ops.
func (b *Backend) Dequantize(y, codes, scales backend.Buffer, n int, q backend.Quant) {
	const op = "Dequantize"
	ys, w := floats(op, "y", y, n), packedOf(op, codes, scales, n, q)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dequantize(ys, w)
}

func (b *Backend) dequantize(y []float32, w packed) {
	b.tasks.dequant = dequantTask{b.k, y, w}
	b.pool.run(ceilDiv(len(y), grain), &b.tasks.dequant)
	b.tasks.dequant = dequantTask{}
}

type dequantTask struct {
	k *kernels
	y []float32
	w packed
}

// do writes grain elements, which are whole groups but for the last.
func (t *dequantTask) do(_, item int) {
	from := item * grain
	to := min(from+grain, len(t.y))
	t.k.expand(t.y[from:to], 0, t.w, from, 0, to-from, 1)
}

// MatMulPacked writes C = alpha·op(A, B) + beta·C; see backend.Ops. Codes become numbers as panels of B are packed or, where M is
// small, a few rows at a time: the bits are those of MatMul by the numbers. A product NT that rounds A runs in whole numbers where the
// processor has kernels for it (int8.go); elsewhere, and where rows are no whole blocks, the numbers that A's rows are rounded to are multiplied as
// others.
func (b *Backend) MatMulPacked(c, a, codes, scales backend.Buffer, m, n, k int, op backend.MatOp, q backend.Quant, alpha, beta float32) {
	const name = "MatMulPacked"
	if m < 0 || n < 0 || k < 0 {
		panic(fmt.Sprintf("%s: m, n, k are %d, %d, %d; wanted 0 or more", name, m, n, k))
	}
	if op != backend.NT && op != backend.NN {
		panic(fmt.Sprintf("%s: op %d; wanted NT or NN", name, op))
	}
	cs, as, w := floats(name, "c", c, m*n), floats(name, "a", a, m*k), packedOf(name, codes, scales, n*k, q)
	b.mu.Lock()
	defer b.mu.Unlock()
	if m == 0 || n == 0 {
		return
	}
	if b.wholeNumbers(op, q, m, k) {
		b.multiplyInt8(cs, as, w, m, n, k, alpha, beta)
		return
	}
	if q.Rounds() && op == backend.NT && k > 0 {
		as = b.roundRows(as, m, k)
	}
	if k == 0 || op == backend.NT && n < m && n <= fewRows || op == backend.NN && min(m, n) <= fewRows {
		b.unpacked = grow(b.unpacked, n*k)
		b.dequantize(b.unpacked, w)
		b.matMul(cs, as, b.unpacked, m, n, k, op, alpha, beta)
		return
	}
	p := product{m: m, n: n, k: k, c: cs, ldc: n, alpha: alpha, beta: beta, a: operand{x: as, ld: k}, packed: w}
	p.b = operand{ld: k}
	if op == backend.NN {
		p.b = operand{ld: n, kMajor: true}
	}
	switch {
	case op == backend.NT && m <= fewRows:
		b.multiplyRows(p)
	case b.bf16 != nil && min(m, n) >= bf16MN && k >= bf16K:
		b.multiply(b.bf16, p)
	default:
		b.multiply(b.k, p)
	}
}

// roundRows returns the numbers that the rows of a are rounded to in blocks of 32.   a (m, k)
func (b *Backend) roundRows(a []float32, m, k int) []float32 {
	b.rounded = grow(b.rounded, m*k)
	b.tasks.round = roundTask{b.rounded, a, k}
	b.pool.run(m, &b.tasks.round)
	b.tasks.round = roundTask{}
	return b.rounded
}

type roundTask struct {
	y, x []float32
	k    int
}

func (t *roundTask) do(_, i int) {
	var codes [32]int8
	for at := i * t.k; at < (i+1)*t.k; at += len(codes) {
		x := t.x[at:min(at+len(codes), (i+1)*t.k)]
		scale := backend.RoundInt8(codes[:], x)
		for j := range x {
			t.y[at+j] = scale * float32(codes[j])
		}
	}
}

// EmbeddingPacked writes y[t,:] = W[ids[t],:]; see backend.Ops.
func (b *Backend) EmbeddingPacked(y, codes, scales, ids backend.Buffer, t, c, v int, q backend.Quant) {
	const op = "EmbeddingPacked"
	ys, idx, w := floats(op, "y", y, t*c), ints(op, "ids", ids, t), packedOf(op, codes, scales, v*c, q)
	checkIndices(op, "ids", idx, v)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks.embedPacked = embedPackedTask{b.k, ys, idx, w, c}
	b.pool.run(ceilDiv(t, rowsOf(c)), &b.tasks.embedPacked)
	b.tasks.embedPacked = embedPackedTask{}
}

type embedPackedTask struct {
	k   *kernels
	y   []float32
	ids []int32
	w   packed
	c   int
}

func (t *embedPackedTask) do(_, item int) {
	each := rowsOf(t.c)
	for i := item * each; i < min((item+1)*each, len(t.ids)); i++ {
		t.k.expand(t.y[i*t.c:(i+1)*t.c], 0, t.w, int(t.ids[i])*t.c, 0, t.c, 1)
	}
}
