package grad

import (
	"math"

	"tunebook/engine/backend"
)

// Host makes an operation of plain Go: its inputs come to the host, forward writes y (rows, cols) from them, and on the way
// back backward writes the gradient of every input that is wanted (dx[i] is nil for the others) from x, y and dy. Elements
// are in rows. It is what losses are made of: they are small beside the model that they stand on.
func (t *Tape) Host(rows, cols int, in []*Var, forward func(x [][]float32, y []float32), backward func(x [][]float32, y, dy []float32, dx [][]float32)) *Var {
	x := make([][]float32, len(in))
	for i, v := range in {
		x[i] = t.host(v.Value, v.Rows*v.Cols)
	}
	v := t.activation(rows, cols, in...)
	y := make([]float32, rows*cols)
	forward(x, y)
	t.dev.Upload(v.Value, y)
	t.push(func() {
		dy, dx := t.host(v.grad, rows*cols), make([][]float32, len(in))
		for i, from := range in {
			if from.needs {
				dx[i] = make([]float32, len(x[i]))
			}
		}
		backward(x, y, dy, dx)
		for i, from := range in {
			t.into(from, func(d backend.Buffer) { t.dev.Upload(d, dx[i]) })
		}
	}, v)
	return v
}

// host downloads n elements. A failure of the device is kept for Err.
func (t *Tape) host(b backend.Buffer, n int) []float32 {
	x := make([]float32, n)
	if err := t.dev.Download(x, b); err != nil && t.err == nil {
		t.err = err
	}
	return x
}

// Err returns the first failure of the device in an operation on the host.
func (t *Tape) Err() error { return t.err }

// From makes Backward start from v too, with the gradient of scale·Σ v.
func (t *Tape) From(v *Var, scale float32) {
	if !v.needs {
		return
	}
	t.back = append(t.back, func() {
		t.into(v, func(d backend.Buffer) { t.dev.Fill(d, scale) })
	})
}

// Values returns the elements of v, row by row.
func (t *Tape) Values(v *Var) ([]float32, error) {
	x := make([]float32, v.Rows*v.Cols)
	return x, t.dev.Download(x, v.Value)
}

// Map returns f of every element; d is its derivative at x, where f is y.
func (t *Tape) Map(x *Var, f func(x float64) float64, d func(x, y float64) float64) *Var {
	return t.Host(x.Rows, x.Cols, []*Var{x}, func(x [][]float32, y []float32) {
		for i, v := range x[0] {
			y[i] = float32(f(float64(v)))
		}
	}, func(x [][]float32, y, dy []float32, dx [][]float32) {
		for i, v := range x[0] {
			dx[0][i] = float32(float64(dy[i]) * d(float64(v), float64(y[i])))
		}
	})
}

// LogSigmoid returns log(1/(1+exp(-x))) of every element.
func (t *Tape) LogSigmoid(x *Var) *Var {
	return t.Map(x, func(x float64) float64 { return min(x, 0) - math.Log1p(math.Exp(-math.Abs(x))) },
		func(x, _ float64) float64 { return 1 / (1 + math.Exp(x)) })
}

// Mul returns the product of each pair of elements.   both (T, C)
func (t *Tape) Mul(x, y *Var) *Var {
	want("Mul", x.Rows == y.Rows && x.Cols == y.Cols, "x is (%d, %d), y is (%d, %d)", x.Rows, x.Cols, y.Rows, y.Cols)
	return t.Host(x.Rows, x.Cols, []*Var{x, y}, func(in [][]float32, z []float32) {
		for i := range z {
			z[i] = in[0][i] * in[1][i]
		}
	}, func(in [][]float32, _, dz []float32, d [][]float32) {
		for i, g := range dz {
			if d[0] != nil {
				d[0][i] = g * in[1][i]
			}
			if d[1] != nil {
				d[1][i] = g * in[0][i]
			}
		}
	})
}

// LogSoftmax returns the logarithm of each row's softmax.   (T, C)
func (t *Tape) LogSoftmax(x *Var) *Var {
	C := x.Cols
	return t.Host(x.Rows, C, []*Var{x}, func(x [][]float32, y []float32) {
		for at := 0; at < len(y); at += C {
			logSoftmax(y[at:at+C], x[0][at:at+C], 1)
		}
	}, func(_ [][]float32, y, dy []float32, dx [][]float32) {
		for at := 0; at < len(y); at += C {
			sum := 0.0
			for j := at; j < at+C; j++ {
				sum += float64(dy[j])
			}
			for j := at; j < at+C; j++ {
				dx[0][j] = float32(float64(dy[j]) - math.Exp(float64(y[j]))*sum)
			}
		}
	})
}

// logSoftmax writes log softmax(x·scale) to y and returns it.
func logSoftmax(y, x []float32, scale float64) []float32 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, scale*float64(v))
	}
	for _, v := range x {
		sum += math.Exp(scale*float64(v) - top)
	}
	lse := top + math.Log(sum)
	for i, v := range x {
		y[i] = float32(scale*float64(v) - lse)
	}
	return y
}

// Pick returns one element of each row.   x (T, C)  columns (T)  →  (T, 1)
func (t *Tape) Pick(x *Var, columns []int32) *Var {
	want("Pick", len(columns) == x.Rows, "%d columns for %d rows", len(columns), x.Rows)
	for _, c := range columns {
		want("Pick", c >= 0 && int(c) < x.Cols, "column %d; rows have %d", c, x.Cols)
	}
	C := x.Cols
	return t.Host(x.Rows, 1, []*Var{x}, func(x [][]float32, y []float32) {
		for i, c := range columns {
			y[i] = x[0][i*C+int(c)]
		}
	}, func(_ [][]float32, _, dy []float32, dx [][]float32) {
		for i, c := range columns {
			dx[0][i*C+int(c)] = dy[i]
		}
	})
}

// RowSums returns the sum of each row, summed in float64.   (T, C)  →  (T, 1)
func (t *Tape) RowSums(x *Var) *Var {
	C := x.Cols
	return t.Host(x.Rows, 1, []*Var{x}, func(x [][]float32, y []float32) {
		for i := range y {
			sum := 0.0
			for _, v := range x[0][i*C : (i+1)*C] {
				sum += float64(v)
			}
			y[i] = float32(sum)
		}
	}, func(_ [][]float32, _, dy []float32, dx [][]float32) {
		for i := range dx[0] {
			dx[0][i] = dy[i/C]
		}
	})
}

// NLL returns -log softmax(x[t,:]·Wᵀ)[targets[t]] as a value that further operations may use. The backward pass computes the
// logits a second time, so that neither pass holds all of them.   x (T, C)  w (V, C)  targets (T)  →  (T, 1)
func (t *Tape) NLL(x, w *Var, targets backend.Buffer) *Var {
	want("NLL", x.Cols == w.Cols, "x has %d columns, w has %d", x.Cols, w.Cols)
	y := t.activation(x.Rows, 1, x, w)
	t.weight(w, func(W backend.Buffer) {
		t.dev.LinearCrossEntropy(y.Value, nil, nil, x.Value, W, targets, nil, x.Rows, x.Cols, w.Rows, 1)
	})
	t.push(func() {
		nll := t.dev.AllocUninit(y.Value.DType(), y.Rows)
		back := func(d backend.Buffer) {
			t.weight(w, func(W backend.Buffer) {
				t.dev.LinearCrossEntropy(nll, d, t.gradOf(w), x.Value, W, targets, y.grad, x.Rows, x.Cols, w.Rows, 1)
			})
		}
		if x.needs {
			t.into(x, back)
		} else {
			d := t.dev.AllocUninit(x.Value.DType(), x.Rows*x.Cols)
			back(d)
			t.dev.Free(d)
		}
		t.dev.Free(nll)
	}, y)
	return y
}

// Distill returns KL(softmax(teacher/T) ‖ softmax(x/T))·T² of each row: how far a student's logits are from a teacher's, which are
// constants. The factor keeps gradients of one size whatever the temperature T.   x, teacher (N, V)  →  (N, 1)
// Source: Hinton et al. 2015, arXiv:1503.02531, section 2.
func (t *Tape) Distill(x *Var, teacher []float32, temperature float64) *Var {
	want("Distill", len(teacher) == x.Rows*x.Cols, "the teacher has %d logits, the student (%d, %d)", len(teacher), x.Rows, x.Cols)
	V, scale := x.Cols, 1/temperature
	return t.Host(x.Rows, 1, []*Var{x}, func(x [][]float32, y []float32) {
		p, q := make([]float32, V), make([]float32, V)
		for i := range y {
			logSoftmax(p, teacher[i*V:(i+1)*V], scale)
			logSoftmax(q, x[0][i*V:(i+1)*V], scale)
			sum := 0.0
			for j := range p {
				sum += math.Exp(float64(p[j])) * (float64(p[j]) - float64(q[j]))
			}
			y[i] = float32(sum * temperature * temperature)
		}
	}, func(x [][]float32, _, dy []float32, dx [][]float32) {
		p, q := make([]float32, V), make([]float32, V)
		for i, g := range dy {
			logSoftmax(p, teacher[i*V:(i+1)*V], scale)
			logSoftmax(q, x[0][i*V:(i+1)*V], scale)
			for j := range p {
				dx[0][i*V+j] = float32(float64(g) * temperature * (math.Exp(float64(q[j])) - math.Exp(float64(p[j]))))
			}
		}
	})
}
