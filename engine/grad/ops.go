package grad

import (
	"math"

	"tunebook/engine/backend"
)

// Embedding returns the rows of w that ids name.   w (V, C)  ids (n) i32  →  (n, C)
func (t *Tape) Embedding(w *Var, ids backend.Buffer, n int) *Var {
	y := t.activation(n, w.Cols, w)
	if p := w.packed; p != nil {
		t.dev.EmbeddingPacked(y.Value, p.Codes, p.Scales, ids, n, w.Cols, w.Rows, p.Quant)
		return y
	}
	t.dev.EmbeddingForward(y.Value, w.Value, ids, n, w.Cols)
	t.push(func() {
		if w.needs {
			t.dev.EmbeddingBackward(t.gradOf(w), y.grad, ids, n, w.Cols)
		}
	}, y)
	return y
}

// RMSNorm returns the normalised sum and the sum itself: s = x + res, y = s/rms(s)·w. With res nil the sum is x. Where rows
// hold several times C columns (the heads of a query), each C of them are normalised for themselves. The sum is written over
// res where that is a linear layer's output, which then must have no other reader.
//
//	x, res (T, n·C)   w (1, C)   →   y (T, n·C), s (T, n·C)
func (t *Tape) RMSNorm(x, res, w *Var, eps float32) (y, s *Var) {
	C := w.Cols
	want("RMSNorm", C > 0 && x.Cols%C == 0, "the weight has %d elements; rows have %d", C, x.Cols)
	T := x.Rows * x.Cols / C
	y = t.activation(x.Rows, x.Cols, x, res, w)
	rstd := t.scratch(T)
	if res == nil {
		y.again = func(d backend.Buffer) { t.dev.RMSNormForward(d, nil, rstd, x.Value, nil, w.Value, T, C, eps) }
		y.again(y.Value)
		t.push(func() {
			t.into(x, func(d backend.Buffer) {
				t.dev.RMSNormBackward(d, t.gradOf(w), y.grad, nil, x.Value, w.Value, rstd, T, C)
			})
			if !x.needs && w.needs {
				d := t.dev.AllocUninit(x.Value.DType(), T*C)
				t.dev.RMSNormBackward(d, t.gradOf(w), y.grad, nil, x.Value, w.Value, rstd, T, C)
				t.dev.Free(d)
			}
		}, y)
		return y, x
	}
	want("RMSNorm", res.Rows == x.Rows && res.Cols == x.Cols, "the residual is (%d, %d); x is (%d, %d)", res.Rows, res.Cols, x.Rows, x.Cols)
	add := res.Value
	s = t.sum(x, res)
	t.dev.RMSNormForward(y.Value, s.Value, rstd, x.Value, add, w.Value, T, C, eps)
	y.again = func(d backend.Buffer) { t.dev.RMSNormForward(d, nil, rstd, s.Value, nil, w.Value, T, C, eps) }
	t.push(func() {
		t.sumGradient(x, res, y, s, func(d backend.Buffer) {
			t.dev.RMSNormBackward(d, t.gradOf(w), y.grad, s.grad, s.Value, w.Value, rstd, T, C)
		})
	}, y, s)
	return y, s
}

// sumGradient hands the gradient of s = x + res, of which a norm made y, on to x and res: they receive the same, which
// backward computes once.
func (t *Tape) sumGradient(x, res, y, s *Var, backward func(d backend.Buffer)) {
	if y.grad == nil { // only the sum was used
		t.into(x, func(d backend.Buffer) { t.dev.Copy(d, s.grad) })
		t.into(res, func(d backend.Buffer) { t.dev.Copy(d, s.grad) })
		return
	}
	d := t.dev.AllocUninit(s.Value.DType(), s.Rows*s.Cols)
	backward(d)
	t.into(x, func(dx backend.Buffer) { t.dev.Copy(dx, d) })
	if res.needs && res.grad == nil {
		res.grad = d
		return
	}
	t.into(res, func(dr backend.Buffer) { t.dev.Copy(dr, d) })
	t.dev.Free(d)
}

// LayerNorm returns the normalised sum and the sum itself: s = x + res, y = (s - mean)/deviation·w + b. With res nil the
// sum is x.
//
//	x, res (T, C)   w, b (1, C)   →   y (T, C), s (T, C)
func (t *Tape) LayerNorm(x, res, w, b *Var, eps float32) (y, s *Var) {
	T, C := x.Rows, x.Cols
	want("LayerNorm", w.Cols == C && b.Cols == C, "weight and bias have %d and %d elements; rows have %d", w.Cols, b.Cols, C)
	y = t.activation(T, C, x, res, w, b)
	mean, rstd := t.scratch(T), t.scratch(T)
	if res == nil {
		t.dev.LayerNormForward(y.Value, nil, mean, rstd, x.Value, nil, w.Value, b.Value, T, C, eps)
		t.push(func() {
			back := func(d backend.Buffer) {
				t.dev.LayerNormBackward(d, t.gradOf(w), t.gradOf(b), y.grad, nil, x.Value, w.Value, mean, rstd, T, C)
			}
			if x.needs {
				t.into(x, back)
				return
			}
			d := t.dev.AllocUninit(x.Value.DType(), T*C)
			back(d)
			t.dev.Free(d)
		}, y)
		return y, x
	}
	want("LayerNorm", res.Rows == T && res.Cols == C, "the residual is (%d, %d); x is (%d, %d)", res.Rows, res.Cols, T, C)
	add := res.Value
	s = t.sum(x, res)
	t.dev.LayerNormForward(y.Value, s.Value, mean, rstd, x.Value, add, w.Value, b.Value, T, C, eps)
	y.again = func(d backend.Buffer) {
		t.dev.LayerNormForward(d, nil, mean, rstd, s.Value, nil, w.Value, b.Value, T, C, eps)
	}
	t.push(func() {
		t.sumGradient(x, res, y, s, func(d backend.Buffer) {
			t.dev.LayerNormBackward(d, t.gradOf(w), t.gradOf(b), y.grad, s.grad, s.Value, w.Value, mean, rstd, T, C)
		})
	}, y, s)
	return y, s
}

// AddBias adds b to every row of x in place; x must have no other reader yet.   x (T, C)  b (1, C)
func (t *Tape) AddBias(x, b *Var) {
	want("AddBias", b.Cols == x.Cols, "the bias has %d elements; rows have %d", b.Cols, x.Cols)
	t.dev.AddBias(x.Value, b.Value, x.Rows, x.Cols)
	if t.record && b.needs {
		x.needs = true
		t.back = append(t.back, func() {
			if x.grad != nil {
				t.dev.SumRows(t.gradOf(b), x.grad, x.Rows, x.Cols)
			}
		})
	}
}

// Add returns x + y.   both (T, C)
func (t *Tape) Add(x, y *Var) *Var {
	want("Add", x.Rows == y.Rows && x.Cols == y.Cols, "x is (%d, %d), y is (%d, %d)", x.Rows, x.Cols, y.Rows, y.Cols)
	z := t.activation(x.Rows, x.Cols, x, y)
	t.dev.Copy(z.Value, x.Value)
	t.dev.AddScaled(z.Value, y.Value, 1)
	t.push(func() {
		t.into(x, func(d backend.Buffer) { t.dev.Copy(d, z.grad) })
		t.into(y, func(d backend.Buffer) { t.dev.Copy(d, z.grad) })
	}, z)
	return z
}

// Scale returns alpha·x.
func (t *Tape) Scale(x *Var, alpha float32) *Var {
	y := t.activation(x.Rows, x.Cols, x)
	scaled := func(dst, src backend.Buffer) {
		t.dev.Fill(dst, 0)
		t.dev.AddScaled(dst, src, alpha)
	}
	scaled(y.Value, x.Value)
	t.push(func() { t.into(x, func(d backend.Buffer) { scaled(d, y.grad) }) }, y)
	return y
}

// OnePlus returns 1 + w for a parameter that a file holds as its distance from one. The gradient goes to w.
func (t *Tape) OnePlus(w *Var) *Var {
	v := &Var{Value: t.scratch(w.Rows * w.Cols), Rows: w.Rows, Cols: w.Cols, grad: w.grad, needs: w.needs, param: true, of: w.of}
	t.dev.Fill(v.Value, 1)
	t.dev.AddScaled(v.Value, w.Value, 1)
	return v
}

// Split cuts x into its rows of c elements and returns matrices of them: part i has the rows that parts[i] names, each n
// rows of them making one of its own. Every row is named once by all parts together.
//
//	x (T, C)   parts[i] i32   →   (T, len(parts[i])·c/T)
func (t *Tape) Split(x *Var, c int, parts ...[]int32) []*Var {
	total := 0
	for _, p := range parts {
		total += len(p)
	}
	want("Split", total*c == x.Rows*x.Cols, "the parts have %d rows of %d; x has %d elements", total, c, x.Rows*x.Cols)
	var out []*Var
	var rows []backend.Buffer
	for _, p := range parts {
		y := t.activation(x.Rows, len(p)*c/max(1, x.Rows), x)
		rows = append(rows, t.Ints(p))
		t.dev.Gather(y.Value, x.Value, rows[len(rows)-1], len(p), c)
		out = append(out, y)
	}
	t.push(func() {
		t.into(x, func(d backend.Buffer) {
			for i, y := range out {
				if y.grad == nil { // this part was not used
					y.grad = t.dev.Alloc(y.Value.DType(), y.Rows*y.Cols)
				}
				t.dev.Scatter(d, y.grad, rows[i], len(parts[i]), c)
			}
		})
	}, out...)
	return out
}

// RoPE turns x in place by its positions; x must have no other reader.   x (T, heads·D)  pos (T)  freqs (D/2)
func (t *Tape) RoPE(x *Var, pos, freqs backend.Buffer, heads, d int, pairing backend.Pairing) {
	want("RoPE", x.Cols == heads*d, "x has %d columns; %d heads of %d make %d", x.Cols, heads, d, heads*d)
	t.dev.RoPE(x.Value, x.Value, pos, freqs, x.Rows, heads, d, pairing, false)
	if t.record && x.needs {
		t.back = append(t.back, func() {
			if x.grad != nil {
				t.dev.RoPE(x.grad, x.grad, pos, freqs, x.Rows, heads, d, pairing, true)
			}
		})
	}
}

// SwiGLU returns silu(gate)·up.   both (T, F)
func (t *Tape) SwiGLU(gate, up *Var) *Var {
	n := gate.Rows * gate.Cols
	want("SwiGLU", n == up.Rows*up.Cols, "gate has %d elements, up has %d", n, up.Rows*up.Cols)
	y := t.activation(gate.Rows, gate.Cols, gate, up)
	y.again = func(d backend.Buffer) { t.dev.SwiGLUForward(d, gate.Value, up.Value, n) }
	y.again(y.Value)
	t.push(func() {
		t.intoEach([]*Var{gate, up}, func(d []backend.Buffer) {
			t.dev.SwiGLUBackward(d[0], d[1], y.grad, gate.Value, up.Value, n)
		})
	}, y)
	return y
}

// RoPEPart is RoPE for the first rot elements of every head, in place; d is a multiple of rot.   x (T, heads·D)  freqs (rot/2)
func (t *Tape) RoPEPart(x *Var, pos, freqs backend.Buffer, heads, d, rot int, pairing backend.Pairing) {
	if rot == d {
		t.RoPE(x, pos, freqs, heads, d, pairing)
		return
	}
	want("RoPEPart", rot > 0 && d%rot == 0 && x.Cols == heads*d, "x has %d columns; %d heads of %d, of which %d turn", x.Cols, heads, d, rot)
	n := x.Rows * heads
	first := make([]int32, n)
	for i := range first {
		first[i] = int32(i * (d / rot))
	}
	rows := t.Ints(first)
	turn := func(b backend.Buffer, inverse bool) {
		part := t.dev.AllocUninit(b.DType(), n*rot)
		t.dev.Gather(part, b, rows, n, rot)
		t.dev.RoPE(part, part, pos, freqs, x.Rows, heads, rot, pairing, inverse)
		t.dev.Scatter(b, part, rows, n, rot)
		t.dev.Free(part)
	}
	turn(x.Value, false)
	if t.record && x.needs {
		t.back = append(t.back, func() {
			if x.grad != nil {
				turn(x.grad, true)
			}
		})
	}
}

// GeGLU returns gelu(gate)·up, or gelu(gate) where up is nil; tanh chooses the approximation.   both (T, F)
func (t *Tape) GeGLU(gate, up *Var, tanh bool) *Var {
	n := gate.Rows * gate.Cols
	y := t.activation(gate.Rows, gate.Cols, gate, up)
	if up == nil {
		t.dev.GeGLUForward(y.Value, gate.Value, nil, n, tanh)
		t.push(func() {
			t.into(gate, func(d backend.Buffer) { t.dev.GeGLUBackward(d, nil, y.grad, gate.Value, nil, n, tanh) })
		}, y)
		return y
	}
	want("GeGLU", n == up.Rows*up.Cols, "gate has %d elements, up has %d", n, up.Rows*up.Cols)
	t.dev.GeGLUForward(y.Value, gate.Value, up.Value, n, tanh)
	t.push(func() {
		t.intoEach([]*Var{gate, up}, func(d []backend.Buffer) {
			t.dev.GeGLUBackward(d[0], d[1], y.grad, gate.Value, up.Value, n, tanh)
		})
	}, y)
	return y
}

// Attention returns causal grouped-query attention within each segment, scaled by 1/sqrt(D).
//
//	q (T, H·D)   k, v (T, K·D)   →   (T, H·D)
func (t *Tape) Attention(q, k, v *Var, segs *backend.Segments, h, kh, d int) *Var {
	want("Attention", q.Cols == h*d && k.Cols == kh*d && v.Cols == kh*d,
		"q, k, v have %d, %d, %d columns; wanted %d, %d, %d", q.Cols, k.Cols, v.Cols, h*d, kh*d, kh*d)
	scale := float32(1 / math.Sqrt(float64(d)))
	o := t.activation(q.Rows, q.Cols, q, k, v)
	var lse backend.Buffer
	if t.record {
		lse = t.scratch(q.Rows * h)
	}
	t.dev.AttentionForward(o.Value, lse, q.Value, k.Value, v.Value, segs, h, kh, d, scale)
	t.push(func() {
		t.intoEach([]*Var{q, k, v}, func(g []backend.Buffer) {
			t.dev.AttentionBackward(g[0], g[1], g[2], o.grad, q.Value, k.Value, v.Value, o.Value, lse, segs, h, kh, d, scale)
		})
	}, o)
	return o
}

// AttentionOver is Attention of q over keys and values that lie elsewhere, in a cache. It has no backward pass.
func (t *Tape) AttentionOver(q *Var, k, v backend.Buffer, segs *backend.Segments, h, kh, d int) *Var {
	want("AttentionOver", !t.record, "a cache has no backward pass; use Attention on a tape that records")
	o := t.activation(q.Rows, q.Cols, q)
	t.dev.AttentionForward(o.Value, nil, q.Value, k, v, segs, h, kh, d, float32(1/math.Sqrt(float64(d))))
	return o
}

// Gather returns the named rows of x; rows are distinct.   x (T, C)  rows (n) i32  →  (n, C)
func (t *Tape) Gather(x *Var, rows backend.Buffer, n int) *Var {
	y := t.activation(n, x.Cols, x)
	t.dev.Gather(y.Value, x.Value, rows, n, x.Cols)
	t.push(func() {
		t.into(x, func(d backend.Buffer) {
			t.dev.Fill(d, 0)
			t.dev.Scatter(d, y.grad, rows, n, x.Cols)
		})
	}, y)
	return y
}

// Mix returns sums of the rows of x, each with its weights: m·x.   x (T, C)  m (S·T numbers, row by row)  →  (S, C)
func (t *Tape) Mix(m []float32, x *Var) *Var {
	want("Mix", x.Rows > 0 && len(m)%x.Rows == 0, "%d weights over %d rows", len(m), x.Rows)
	S, w := len(m)/max(1, x.Rows), t.Floats(m)
	y := t.activation(S, x.Cols, x)
	t.dev.MatMul(y.Value, w, x.Value, S, x.Cols, x.Rows, backend.NN, 1, 0)
	t.push(func() { t.product(x, w, y.grad, x.Rows, x.Cols, S, backend.TN, 1) }, y)
	return y
}

// Normalize returns every row of x divided by its Euclidean length; a row of zeros stays one.   (T, C)
func (t *Tape) Normalize(x *Var) *Var {
	w := make([]float32, x.Cols)
	for i := range w {
		w[i] = float32(1 / math.Sqrt(float64(x.Cols)))
	}
	y, _ := t.RMSNorm(x, nil, t.Constant(1, x.Cols, w), 1e-24) // the root mean square is the length over sqrt(C)
	return y
}

// LinearCrossEntropy is a loss: it returns nll[t] = -log softmax(x[t,:]·Wᵀ)[targets[t]] and, on a tape that records,
// makes Backward start from the gradient of scale·Σ weights[t]·nll[t]. w may be a parameter or an activation: with the
// embeddings of other texts as w, the loss is contrastive.
//
//	x (T, C)   w (V, C)   targets (T) i32   weights (T) or nil   →   (T)
func (t *Tape) LinearCrossEntropy(x, w *Var, targets, weights backend.Buffer, scale float32) backend.Buffer {
	want("LinearCrossEntropy", x.Cols == w.Cols, "x has %d columns, w has %d", x.Cols, w.Cols)
	nll := t.scratch(x.Rows)
	if !t.record || !x.needs && !w.needs {
		t.weight(w, func(W backend.Buffer) {
			t.dev.LinearCrossEntropy(nll, nil, nil, x.Value, W, targets, weights, x.Rows, x.Cols, w.Rows, scale)
		})
		return nll
	}
	// The gradient is computed here, while each row's softmax is at hand, and handed on when the walk back begins.
	// The weight's part is added to its gradient at once: nothing reads that before the walk ends.
	dx := t.dev.AllocUninit(x.Value.DType(), x.Rows*x.Cols)
	t.weight(w, func(W backend.Buffer) {
		t.dev.LinearCrossEntropy(nll, dx, t.gradOf(w), x.Value, W, targets, weights, x.Rows, x.Cols, w.Rows, scale)
	})
	t.back = append(t.back, func() {
		if x.needs && x.grad == nil {
			x.grad = dx
			return
		}
		t.into(x, func(d backend.Buffer) { t.dev.Copy(d, dx) })
		t.dev.Free(dx)
	})
	return nll
}
