package grad

import (
	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// Adapter is a low-rank addition to a linear layer's weight: W + Scale·B·A with A (R, K) and B (N, R). With M (1, N), each row of
// that sum is divided by its length and multiplied by its element of M; the length counts as a constant in the backward
// pass. Sources: Hu et al. 2021, arXiv:2106.09685; Liu et al. 2024, arXiv:2402.09353 (DoRA), section 4.3.
type Adapter struct {
	A, B, M *Var // M nil without magnitudes
	Scale   float32
}

// Linear returns x·Wᵀ, plus the adapter's part when there is one.   x (T, K)  w (N, K)  →  (T, N)
func (t *Tape) Linear(x, w *Var, ad *Adapter) *Var { return t.linear(x, w, ad, false) }

// LinearT is Linear for a weight that lies transposed, as GPT-2's do: x·W.   x (T, K)  w (K, N)  →  (T, N)
func (t *Tape) LinearT(x, w *Var, ad *Adapter) *Var { return t.linear(x, w, ad, true) }

func (t *Tape) linear(x, w *Var, ad *Adapter, transposed bool) *Var {
	T, K, N, in, forward, backward := x.Rows, x.Cols, w.Rows, w.Cols, backend.NT, backend.NN
	if transposed {
		N, in, forward, backward = w.Cols, w.Rows, backend.NN, backend.NT
	}
	want("Linear", in == K, "the weight is (%d, %d), transposed %v; x has %d columns", w.Rows, w.Cols, transposed, K)
	if ad == nil {
		y := t.activation(T, N, x, w)
		y.spare = true
		byWeight(x.Value, w, K, forward).Into(t.dev, y.Value, T, N, 0)
		t.push(func() {
			if x.needs {
				dx, beta := t.summand(x)
				byWeight(y.grad, w, N, backward).Into(t.dev, dx, T, K, beta)
			}
			t.ofWeight(w, x, y.grad, T, K, N, transposed)
		}, y)
		return y
	}
	R := ad.A.Rows
	want("Linear", ad.A.Cols == K && ad.B.Rows == N && ad.B.Cols == R,
		"the adapter is A (%d, %d), B (%d, %d); the layer is (%d, %d)", ad.A.Rows, ad.A.Cols, ad.B.Rows, ad.B.Cols, N, K)
	want("Linear", ad.M == nil || ad.M.Cols == N, "the adapter has another number of magnitudes than the layer's %d rows", N)
	y := t.activation(T, N, x, w, ad.A, ad.B, ad.M)
	y.spare = true
	z := t.scratch(T * R)           // x·Aᵀ
	var plain, norms backend.Buffer // y before its columns are scaled, and the lengths that divide them
	out := y.Value
	if ad.M != nil {
		norms = t.scratch(N)
		t.weight(w, func(W backend.Buffer) { t.rowLengths(norms, W, ad, N, K, transposed) })
		if t.record {
			plain = t.scratch(T * N)
			out = plain
		}
	}
	t.dev.MatMul(z, x.Value, ad.A.Value, T, R, K, backend.NT, 1, 0)
	backend.MatMulSum(t.dev, out, byWeight(x.Value, w, K, forward), backend.Term{A: z, B: ad.B.Value, K: R, Op: backend.NT, Alpha: ad.Scale}, T, N, 0)
	if ad.M != nil {
		t.dev.ScaleColumnsForward(y.Value, out, ad.M.Value, norms, T, N)
	}
	t.push(func() {
		dy := y.grad
		if ad.M != nil {
			t.dev.ScaleColumnsBackward(dy, t.gradOf(ad.M), dy, plain, ad.M.Value, norms, T, N)
		}
		t.product(ad.B, dy, z, N, R, T, backend.TN, ad.Scale)
		if x.needs || ad.A.needs {
			dz := t.dev.AllocUninit(z.DType(), T*R)
			t.dev.MatMul(dz, dy, ad.B.Value, T, R, N, backend.NN, ad.Scale, 0)
			if ad.A.needs {
				t.product(ad.A, dz, t.value(x), R, K, T, backend.TN, 1)
			}
			if x.needs {
				dx, beta := t.summand(x)
				backend.MatMulSum(t.dev, dx, byWeight(dy, w, N, backward), backend.Term{A: dz, B: ad.A.Value, K: R, Op: backend.NN, Alpha: 1}, T, K, beta)
			}
			t.dev.Free(dz)
		}
		t.ofWeight(w, x, dy, T, K, N, transposed)
	}, y)
	return y
}

// byWeight is the product of a by a weight, which may be packed.
func byWeight(a backend.Buffer, w *Var, k int, op backend.MatOp) backend.Term {
	return backend.Term{A: a, B: w.Value, Packed: w.packed, K: k, Op: op, Alpha: 1}
}

// ofWeight adds dYᵀ·x to w's gradient.
func (t *Tape) ofWeight(w, x *Var, dy backend.Buffer, T, K, N int, transposed bool) {
	switch {
	case !w.needs:
	case transposed:
		t.product(w, t.value(x), dy, K, N, T, backend.TN, 1)
	default:
		t.product(w, dy, t.value(x), N, K, T, backend.TN, 1)
	}
}

// weight hands f a weight's numbers; those of a packed one exist for as long as f runs.
func (t *Tape) weight(w *Var, f func(W backend.Buffer)) {
	if w.packed == nil {
		f(w.Value)
		return
	}
	n := w.Rows * w.Cols
	W := Unpack(t.dev, w.packed, n)
	f(W)
	t.dev.Free(W)
}

// Unpack returns the n numbers that a packed weight stands for, in memory that the caller gives back.
func Unpack(dev backend.Backend, p *backend.Packed, n int) backend.Buffer {
	W := dev.AllocUninit(p.Scales.DType(), n)
	dev.Dequantize(W, p.Codes, p.Scales, n, p.Quant)
	return W
}

// rowLengths writes the length of each row of W + Scale·B·A.
func (t *Tape) rowLengths(norms, W backend.Buffer, ad *Adapter, N, K int, transposed bool) {
	V := AdaptedWeight(t.dev, W, ad.A.Value, ad.B.Value, N, K, ad.A.Rows, ad.Scale, transposed)
	t.dev.RowNorms(norms, V, N, K)
	t.dev.Free(V)
}

// AdaptedWeight returns W + scale·B·A as (N, K), whichever way W lies, in memory that the caller gives back.
func AdaptedWeight(dev backend.Backend, W, A, B backend.Buffer, N, K, R int, scale float32, transposed bool) backend.Buffer {
	V := dev.AllocUninit(W.DType(), N*K)
	if transposed {
		Transpose(dev, V, W, K, N)
	} else {
		dev.Copy(V, W)
	}
	dev.MatMul(V, B, A, N, K, R, backend.NN, scale, 1)
	return V
}

// Transpose writes y = xᵀ by gathering single elements: a product with the identity would round on devices that multiply in
// bf16.   x (rows, cols)  y (cols, rows)
func Transpose(dev backend.Backend, y, x backend.Buffer, rows, cols int) {
	from := make([]int32, rows*cols)
	for i := range rows {
		for j := range cols {
			from[j*rows+i] = int32(i*cols + j)
		}
	}
	ids := dev.AllocUninit(tensor.I32, len(from))
	dev.UploadInts(ids, from)
	dev.Gather(y, x, ids, len(from), 1)
	dev.Free(ids)
}
