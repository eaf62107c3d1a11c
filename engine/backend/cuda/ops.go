package cuda

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// MatMul writes C = alpha·op(A, B) + beta·C.
func (b *Backend) MatMul(c, a, bb backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
	o := operands{b, "MatMul"}
	b.product(o.f("c", c, m*n), o.read("a", a, m*k), o.read("b", bb, n*k), m, n, k, op, alpha, beta)
}

// libraryWork is how many multiplications a product has at least to be handed to a library: a small one is done sooner than the
// library has chosen what to do.
const libraryWork = 1 << 18

func (b *Backend) product(c uint64, a, bb span, m, n, k int, op backend.MatOp, alpha, beta float32) {
	if m == 0 || n == 0 {
		return
	}
	if b.wantsTensorCores(m, n, k) {
		b.productBF16(c, a, bb, m, n, k, op, alpha, beta)
		return
	}
	if m*n*k >= libraryWork && min(m, n) > 4 {
		lda, ldb := k, k
		if op == backend.TN {
			lda = m
		}
		if op != backend.NT {
			ldb = n
		}
		if b.multiply(multiplication{c: c, a: matrix{a.addr, lda}, b: matrix{bb.addr, ldb}, m: m, n: n, k: k, op: op, alpha: alpha, beta: beta}) {
			return
		}
	}
	name, ok := map[backend.MatOp]string{backend.NT: "product_nt", backend.NN: "product_nn", backend.TN: "product_tn"}[op]
	if !ok {
		panic(fmt.Sprintf("MatMul: op %d; wanted NT, NN or TN", op))
	}
	rows := 64
	if m <= 16 {
		rows, name = 16, name+"_low"
	}
	b.launch(name, [3]int{(n + 63) / 64, (m + rows - 1) / rows, 1}, [3]int{4 * rows, 1, 1}, 0,
		c, a.addr, bb.addr, i32(m), i32(n), i32(k), f32(alpha), f32(beta))
}

// EmbeddingForward writes y[t,:] = w[ids[t],:]. An id outside w comes back from the next Sync or Download.
func (b *Backend) EmbeddingForward(y, w, ids backend.Buffer, t, c int) {
	b.gather("EmbeddingForward", placeEmbeddingForward, y, w, ids, t, c)
}

// Gather writes y[i,:] = x[rows[i],:]. A row outside x comes back from the next Sync or Download.
func (b *Backend) Gather(y, x, rows backend.Buffer, n, c int) {
	b.gather("Gather", placeGather, y, x, rows, n, c)
}

func (b *Backend) gather(op string, place int, y, x, rows backend.Buffer, n, c int) {
	o := operands{b, op}
	fault, code := b.faultArgs(place)
	b.rows("rows_gather", n, o.f("y", y, n*c), o.f("x", x, 0), o.i("rows", rows, n), i32(n), i32(c), i32(x.Len()/max(c, 1)), fault, code)
}

// Scatter writes y[rows[i],:] = x[i,:]. A row outside y comes back from the next Sync or Download.
func (b *Backend) Scatter(y, x, rows backend.Buffer, n, c int) {
	o := operands{b, "Scatter"}
	fault, code := b.faultArgs(placeScatter)
	b.rows("rows_scatter", n, o.f("y", y, 0), o.f("x", x, n*c), o.i("rows", rows, n), i32(n), i32(c), i32(y.Len()/max(c, 1)), fault, code)
}

// EmbeddingBackward adds dY[t,:] to dW[ids[t],:] in the order of t.
func (b *Backend) EmbeddingBackward(dW, dY, ids backend.Buffer, t, c int) {
	o := operands{b, "EmbeddingBackward"}
	fault, code := b.faultArgs(placeEmbeddingBackward)
	dw, dy, id := o.f("dW", dW, 0), o.f("dY", dY, t*c), o.i("ids", ids, t)
	if t > 0 {
		b.launch("rows_scatter_add", [3]int{t, 1, 1}, [3]int{128, 1, 1}, 0, dw, dy, id, i32(t), i32(c), i32(dW.Len()/max(c, 1)), fault, code)
	}
}

// together panics unless both or none of two operands are there.
func together(op, first, second string, a, b backend.Buffer) {
	if (a == nil) != (b == nil) {
		panic(fmt.Sprintf("%s: %s and %s go together; one of them is nil", op, first, second))
	}
}

// RMSNormForward writes y = s·rstd·w and s = x + res to sum.
func (b *Backend) RMSNormForward(y, sum, rstd, x, res, w backend.Buffer, t, c int, eps float32) {
	o := operands{b, "RMSNormForward"}
	together(o.op, "sum", "res", sum, res)
	b.rows("rmsnorm_forward", t, o.f("y", y, t*c), o.maybe("sum", sum, t*c), o.f("rstd", rstd, t), o.f("x", x, t*c), o.maybe("res", res, t*c),
		o.f("w", w, c), i32(t), i32(c), f32(eps))
}

// RMSNormBackward writes dX and adds to dW.
func (b *Backend) RMSNormBackward(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
	o := operands{b, "RMSNormBackward"}
	dy, xs, rs := o.f("dY", dY, t*c), o.f("x", x, t*c), o.f("rstd", rstd, t)
	dx, ds, ws := o.f("dX", dX, t*c), o.maybe("dSum", dSum, t*c), o.f("w", w, c)
	if dW != nil {
		b.columns(o.f("dW", dW, c), dy, xs, 0, rs, 0, t, c)
	}
	b.rows("rmsnorm_backward", t, dx, dy, ds, xs, ws, rs, i32(t), i32(c))
}

// LayerNormForward writes y = (s-mean)·rstd·w + b and s = x + res to sum.
func (b *Backend) LayerNormForward(y, sum, mean, rstd, x, res, w, bias backend.Buffer, t, c int, eps float32) {
	o := operands{b, "LayerNormForward"}
	together(o.op, "sum", "res", sum, res)
	b.rows("layernorm_forward", t, o.f("y", y, t*c), o.maybe("sum", sum, t*c), o.f("mean", mean, t), o.f("rstd", rstd, t), o.f("x", x, t*c),
		o.maybe("res", res, t*c), o.f("w", w, c), o.f("b", bias, c), i32(t), i32(c), f32(eps))
}

// LayerNormBackward writes dX and adds to dW and dB.
func (b *Backend) LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd backend.Buffer, t, c int) {
	o := operands{b, "LayerNormBackward"}
	dy, xs, ms, rs := o.f("dY", dY, t*c), o.f("x", x, t*c), o.f("mean", mean, t), o.f("rstd", rstd, t)
	dx, ds, ws := o.f("dX", dX, t*c), o.maybe("dSum", dSum, t*c), o.f("w", w, c)
	if dW != nil {
		b.columns(o.f("dW", dW, c), dy, xs, ms, rs, 0, t, c)
	}
	if dB != nil {
		b.columns(o.f("dB", dB, c), dy, 0, 0, 0, 0, t, c)
	}
	b.rows("layernorm_backward", t, dx, dy, ds, xs, ws, ms, rs, i32(t), i32(c))
}

// columns adds Σ_t dY[t,:]·n[t,:]/d to out, n being 1, x, x·rstd or (x-mean)·rstd; what is 0 is left out. Chunks follow from T
// alone, so the sum has one order.
func (b *Backend) columns(out, dY, x, mean, rstd, d uint64, t, c int) {
	if t == 0 || c == 0 {
		return
	}
	const perChunk = 64 // rows_per_chunk of columns.cu
	chunks := (t + perChunk - 1) / perChunk
	partial, free := b.scratch(chunks * c)
	defer free()
	b.launch("columns_partial", [3]int{(c + 31) / 32, chunks, 1}, [3]int{32, 8, 1}, 0, partial, dY, x, mean, rstd, i32(t), i32(c))
	b.launch("columns_add", [3]int{(c + 127) / 128, 1, 1}, [3]int{128, 1, 1}, 0, out, partial, d, i32(chunks), i32(c))
}

// AddBias adds b to every row of y.
func (b *Backend) AddBias(y, bias backend.Buffer, t, c int) {
	o := operands{b, "AddBias"}
	b.rows("columns_bias", t, o.f("y", y, t*c), o.f("b", bias, c), i32(t), i32(c))
}

// SumRows adds the sum of the rows of dY to dB.
func (b *Backend) SumRows(dB, dY backend.Buffer, t, c int) {
	o := operands{b, "SumRows"}
	b.columns(o.f("dB", dB, c), o.f("dY", dY, t*c), 0, 0, 0, 0, t, c)
}

// RowNorms writes norms[t] = sqrt(Σ x[t,:]²).
func (b *Backend) RowNorms(norms, x backend.Buffer, t, c int) {
	o := operands{b, "RowNorms"}
	b.rows("scale_norms", t, o.f("norms", norms, t), o.f("x", x, t*c), i32(t), i32(c))
}

// ScaleColumnsForward writes y[t,j] = x[t,j]·m[j]/d[j].
func (b *Backend) ScaleColumnsForward(y, x, m, d backend.Buffer, t, c int) {
	o := operands{b, "ScaleColumnsForward"}
	b.rows("scale_columns", t, o.f("y", y, t*c), o.f("x", x, t*c), o.f("m", m, c), o.f("d", d, c), i32(t), i32(c))
}

// ScaleColumnsBackward writes dX = dY·m/d and adds Σ dY·x/d to dM.
func (b *Backend) ScaleColumnsBackward(dX, dM, dY, x, m, d backend.Buffer, t, c int) {
	o := operands{b, "ScaleColumnsBackward"}
	dx, dy, xs, ms, ds := o.f("dX", dX, t*c), o.f("dY", dY, t*c), o.f("x", x, t*c), o.f("m", m, c), o.f("d", d, c)
	if dM != nil {
		b.columns(o.f("dM", dM, c), dy, xs, 0, 0, ds, t, c)
	}
	b.rows("scale_columns", t, dx, dy, ms, ds, i32(t), i32(c))
}

// Dequantize writes y[i] = scale of its block · level of its code.
func (b *Backend) Dequantize(y, codes, scales backend.Buffer, n int, q backend.Quant) {
	o := operands{b, "Dequantize"}
	b.expand(o, o.f("y", y, n), codes, scales, n, q)
}

func (b *Backend) expand(o operands, y uint64, codes, scales backend.Buffer, n int, q backend.Quant) {
	b.elements("quant_expand", n, y, o.i("codes", codes, q.Codes(n)), o.f("scales", scales, q.Scales(n)), i64(n), i32(int(q.Layout())))
}

// MatMulPacked writes C = alpha·op(A, B) + beta·C for a B of codes and scales, which is written out for as long as the product
// takes.
func (b *Backend) MatMulPacked(c, a, codes, scales backend.Buffer, m, n, k int, op backend.MatOp, q backend.Quant, alpha, beta float32) {
	o := operands{b, "MatMulPacked"}
	if op != backend.NT && op != backend.NN {
		panic(fmt.Sprintf("MatMulPacked: op %d; wanted NT or NN", op))
	}
	cs, as := o.f("c", c, m*n), o.read("a", a, m*k)
	w, free := b.scratchSpan(n * k)
	defer free()
	b.expand(o, w.addr, codes, scales, n*k, q)
	if q.Rounds() && op == backend.NT {
		rounded, free := b.scratchSpan(m * k)
		defer free()
		b.elements("quant_round", m*((k+31)/32), rounded.addr, as.addr, i32(m), i32(k))
		as = rounded
	}
	b.product(cs, as, w, m, n, k, op, alpha, beta)
}

// EmbeddingPacked writes y[t,:] = W[ids[t],:] for a W of codes and scales, of which it reads these rows. An id outside W comes back from the next Sync or
// Download.
func (b *Backend) EmbeddingPacked(y, codes, scales, ids backend.Buffer, t, c, v int, q backend.Quant) {
	o := operands{b, "EmbeddingPacked"}
	fault, code := b.faultArgs(placeEmbeddingPacked)
	b.rows("quant_gather", t, o.f("y", y, t*c), o.i("codes", codes, q.Codes(v*c)), o.f("scales", scales, q.Scales(v*c)), o.i("ids", ids, t),
		i32(t), i32(c), i32(v), i32(int(q.Layout())), fault, code)
}

// RoPE writes x turned by the angle pos[t]·freqs[i] for pair i of every head, or turned back.
func (b *Backend) RoPE(y, x, pos, freqs backend.Buffer, t, heads, d int, pairing backend.Pairing, inverse bool) {
	o := operands{b, "RoPE"}
	if d%2 != 0 {
		panic(fmt.Sprintf("RoPE: head size %d; wanted an even one", d))
	}
	sign := float32(1)
	if inverse {
		sign = -1
	}
	b.elements("rope", t*d/2, o.f("y", y, t*heads*d), o.f("x", x, t*heads*d), o.i("pos", pos, t), o.f("freqs", freqs, d/2),
		i32(t), i32(heads), i32(d), truth(pairing == backend.Interleaved), f32(sign))
}

// The kinds of gated.cu.
const (
	silu = iota
	geluErf
	geluTanh
)

func geluKind(tanh bool) int {
	if tanh {
		return geluTanh
	}
	return geluErf
}

// SwiGLUForward writes y = silu(gate)·up.
func (b *Backend) SwiGLUForward(y, gate, up backend.Buffer, n int) {
	o := operands{b, "SwiGLUForward"}
	b.elements("gated_forward", n, o.f("y", y, n), o.f("gate", gate, n), o.f("up", up, n), i64(n), i32(silu))
}

// SwiGLUBackward writes dGate and dUp.
func (b *Backend) SwiGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int) {
	o := operands{b, "SwiGLUBackward"}
	b.elements("gated_backward", n, o.f("dGate", dGate, n), o.f("dUp", dUp, n), o.f("dY", dY, n), o.f("gate", gate, n), o.f("up", up, n), i64(n), i32(silu))
}

// GeGLUForward writes y = gelu(gate)·up, gelu(gate) where up is nil.
func (b *Backend) GeGLUForward(y, gate, up backend.Buffer, n int, tanh bool) {
	o := operands{b, "GeGLUForward"}
	b.elements("gated_forward", n, o.f("y", y, n), o.f("gate", gate, n), o.maybe("up", up, n), i64(n), i32(geluKind(tanh)))
}

// GeGLUBackward writes dGate and dUp.
func (b *Backend) GeGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int, tanh bool) {
	o := operands{b, "GeGLUBackward"}
	together(o.op, "dUp", "up", dUp, up)
	b.elements("gated_backward", n, o.f("dGate", dGate, n), o.maybe("dUp", dUp, n), o.f("dY", dY, n), o.f("gate", gate, n), o.maybe("up", up, n), i64(n), i32(geluKind(tanh)))
}

// Fill writes v to every element.
func (b *Backend) Fill(x backend.Buffer, v float32) {
	o := operands{b, "Fill"}
	b.elements("vector_fill", x.Len(), o.f("x", x, x.Len()), f32(v), i64(x.Len()))
}

// Copy writes dst = src.
func (b *Backend) Copy(dst, src backend.Buffer) {
	n := sameLength("Copy", dst, src)
	o := operands{b, "Copy"}
	b.elements("vector_copy", n, o.f("dst", dst, n), o.f("src", src, n), i64(n))
}

// AddScaled adds alpha·x to y.
func (b *Backend) AddScaled(y, x backend.Buffer, alpha float32) {
	n := sameLength("AddScaled", y, x)
	o := operands{b, "AddScaled"}
	b.elements("vector_add", n, o.f("y", y, n), o.f("x", x, n), f32(alpha), i64(n))
}

func sameLength(op string, a, b backend.Buffer) int {
	if a.Len() != b.Len() {
		panic(fmt.Sprintf("%s: %d and %d elements; wanted the same length", op, a.Len(), b.Len()))
	}
	return a.Len()
}

// Sample writes one index for each row of scores. Weights are rounded to multiples of 2^-31 of the largest.
func (b *Backend) Sample(ids, x backend.Buffer, draws []backend.Draw, v int) {
	o := operands{b, "Sample"}
	t := len(draws)
	out, xs := o.i("ids", ids, t), o.read("x", x, t*v)
	if t == 0 {
		return
	}
	if v <= 0 {
		panic(fmt.Sprintf("Sample: rows of %d elements; wanted at least 1", v))
	}
	const words = 8 // of a Draw of sample.cu
	table := make([]int32, 0, words*t)
	for _, d := range draws {
		u, p := uint64(math.Ldexp(d.U, 64)), uint64(0)
		if d.TopP > 0 && d.TopP < 1 {
			p = max(1, uint64(math.Ldexp(d.TopP, 64)))
		}
		scale := float32(0)
		if d.Temperature > 0 {
			scale = float32(min(math.MaxFloat32, max(math.SmallestNonzeroFloat32, 1/d.Temperature)))
		}
		least := uint32(math.Ceil(math.Ldexp(d.MinP, 31)))
		table = append(table, int32(u), int32(u>>32), int32(p), int32(p>>32), int32(math.Float32bits(scale)), int32(min(d.TopK, math.MaxInt32)), int32(least), int32(truth(d.Cuts())))
	}
	at := b.AllocUninit(tensor.I32, len(table)).(*buffer)
	defer b.Free(at)
	b.UploadInts(at, table)
	b.launch("sample_draw", [3]int{t, 1, 1}, [3]int{512, 1, 1}, 0, out, xs.addr, at.addr, i32(v))
}

// CrossEntropy writes nll[t] = log Σ exp(x[t,:]) - x[t,ids[t]]. An id outside the row comes back from the next Sync or Download.
func (b *Backend) CrossEntropy(nll, x, ids backend.Buffer, t, v int) {
	o := operands{b, "CrossEntropy"}
	ns, xs, is := o.f("nll", nll, t), o.read("x", x, t*v), o.i("ids", ids, t)
	if t == 0 {
		return
	}
	fault, code := b.faultArgs(placeEntropy)
	b.launch("softmax_loss", [3]int{t, 1, 1}, [3]int{256, 1, 1}, 0, ns, xs.addr, 0, is, 0, i32(v), 0, 0, i32(math.MinInt32), fault, code, 0)
}

// LinearCrossEntropy goes through rows in chunks whose logits fit into logitBytes: a product, a pass that turns logits into
// their gradient where they lie, and the products for dX and dW.
func (b *Backend) LinearCrossEntropy(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32) {
	o := operands{b, "LinearCrossEntropy"}
	if dX == nil && dW != nil {
		panic("LinearCrossEntropy: dW without dX; wanted both or dX alone")
	}
	ns, xs, ws, ids := o.f("nll", nll, t), o.read("x", x, t*c), o.read("w", w, v*c), o.i("targets", targets, t)
	dx, dw, share := o.maybe("dX", dX, t*c), o.maybe("dW", dW, v*c), o.maybe("weights", weights, t)
	if t == 0 {
		return
	}
	rows := min(t, max(64, b.logitBytes/4/max(v, 1)))
	logits, free := b.scratchSpan(rows * v)
	defer free()
	fault, code := b.faultArgs(placeTarget)
	at := func(addr uint64, n int) uint64 { // n elements on; null stays null
		if addr == 0 {
			return 0
		}
		return addr + uint64(4*n)
	}
	for from := 0; from < t; from += rows {
		n := min(rows, t-from)
		logits.wrote()
		b.product(logits.addr, xs.from(from*c), ws, n, v, c, backend.NT, 1, 0)
		// The gradient is for tensor cores alone: it is written as they read it.
		rounded := uint64(0)
		if dX != nil && b.library && v%8 == 0 && b.wantsTensorCores(n, c, v) && b.wantsTensorCores(v, c, n) {
			rounded, _ = b.place(logits, n, v, n, v, false)
		}
		b.launch("softmax_loss", [3]int{n, 1, 1}, [3]int{256, 1, 1}, 0, at(ns, from), logits.addr, rounded, at(ids, from), at(share, from), i32(v), f32(scale),
			truth(dX != nil), i32(backend.IgnoreIndex), fault, code, i32(from))
		if dX != nil {
			b.product(at(dx, from*c), logits, ws, n, c, v, backend.NN, 1, 0)
		}
		if dW != nil {
			b.product(dw, logits, xs.from(from*c), v, c, n, backend.TN, 1, 1)
		}
	}
}
