// Package grad is how a script writes a loss of its own: operations on matrices that know their way back.
//
//	focal := train.Custom("focal 2", train.PerToken, func(b *grad.Batch) *grad.Var {
//		nll := b.NLL()                                 // (tokens, 1)
//		miss := nll.Scale(-1).Exp().Scale(-1).Plus(1)  // 1 - p
//		return nll.Mul(miss).Mul(miss)
//	})
//	run := train.Run(base, mix, train.Config{LR: 1e-3, Loss: focal})
//
// What NLL, Logits, Hidden and Embeddings return runs on the device; the operations on it run in plain Go, so they suit
// what stands behind the model, not layers inside it.
package grad

import (
	"math"

	core "tunebook/engine/grad"
	"tunebook/stdlib/stop"
)

// Var is a matrix in a loss.
type Var struct {
	t *core.Tape
	v *core.Var
}

// Engine returns the engine's matrix, for other packages of the script API.
func (x *Var) Engine() *core.Var { return x.v }

// Rows and Cols return the shape.
func (x *Var) Rows() int { return x.v.Rows }
func (x *Var) Cols() int { return x.v.Cols }

// Values returns the elements, row by row.
func (x *Var) Values() []float32 {
	v, err := x.t.Values(x.v)
	stop.If("grad.Values", err)
	return v
}

// Add, Sub and Mul work on each pair of elements of two matrices of one shape.
func (x *Var) Add(y *Var) *Var { return &Var{x.t, x.t.Add(x.v, y.v)} }

// Sub returns x - y.
func (x *Var) Sub(y *Var) *Var { return x.Add(y.Scale(-1)) }

// Mul returns the product of each pair of elements.
func (x *Var) Mul(y *Var) *Var { return &Var{x.t, x.t.Mul(x.v, y.v)} }

// Scale returns every element times a.
func (x *Var) Scale(a float64) *Var { return &Var{x.t, x.t.Scale(x.v, float32(a))} }

// Plus returns every element plus a.
func (x *Var) Plus(a float64) *Var {
	return x.mapped(func(v float64) float64 { return v + a }, func(_, _ float64) float64 { return 1 })
}

// Exp returns e to the power of every element.
func (x *Var) Exp() *Var {
	return x.mapped(math.Exp, func(_, y float64) float64 { return y })
}

// Log returns the natural logarithm of every element.
func (x *Var) Log() *Var {
	return x.mapped(math.Log, func(v, _ float64) float64 { return 1 / v })
}

// Square returns every element times itself.
func (x *Var) Square() *Var {
	return x.mapped(func(v float64) float64 { return v * v }, func(v, _ float64) float64 { return 2 * v })
}

// ReLU returns every element that is above 0, and 0 for the others.
func (x *Var) ReLU() *Var {
	return x.mapped(func(v float64) float64 { return max(0, v) }, func(v, _ float64) float64 {
		if v > 0 {
			return 1
		}
		return 0
	})
}

// LogSigmoid returns log(1/(1+exp(-x))) of every element.
func (x *Var) LogSigmoid() *Var { return &Var{x.t, x.t.LogSigmoid(x.v)} }

// LogSoftmax returns the logarithm of each row's softmax.
func (x *Var) LogSoftmax() *Var { return &Var{x.t, x.t.LogSoftmax(x.v)} }

// Softmax returns each row's softmax.
func (x *Var) Softmax() *Var { return x.LogSoftmax().Exp() }

// Map returns f of every element; df is its derivative at an element.
func (x *Var) Map(f, df func(v float64) float64) *Var {
	return x.mapped(f, func(v, _ float64) float64 { return df(v) })
}

func (x *Var) mapped(f func(float64) float64, d func(x, y float64) float64) *Var {
	return &Var{x.t, x.t.Map(x.v, f, d)}
}

// RowSums returns the sum of each row, (rows, 1).
func (x *Var) RowSums() *Var { return &Var{x.t, x.t.RowSums(x.v)} }

// RowMeans returns the mean of each row, (rows, 1).
func (x *Var) RowMeans() *Var { return x.RowSums().Scale(1 / float64(x.v.Cols)) }

// Pick returns one element of each row, (rows, 1): that of columns[i] from row i.
func (x *Var) Pick(columns []int32) *Var { return &Var{x.t, x.t.Pick(x.v, columns)} }

// Take returns the named rows, each at most once.
func (x *Var) Take(rows []int32) *Var {
	seen := map[int32]bool{}
	for _, r := range rows {
		if r < 0 || int(r) >= x.v.Rows || seen[r] {
			stop.Now("grad.Take", "a row is named twice or is not there", "use Mix with a weight of 1 to repeat rows")
		}
		seen[r] = true
	}
	return &Var{x.t, x.t.Gather(x.v, x.t.Ints(rows), len(rows))}
}

// Mix returns sums of rows: weights holds, for each row of the result, one number for each row of x.
func (x *Var) Mix(weights []float32) *Var { return &Var{x.t, x.t.Mix(weights, x.v)} }

// Dots returns the products of all rows of x with all rows of y, (rows of x, rows of y).
func (x *Var) Dots(y *Var) *Var { return &Var{x.t, x.t.Linear(x.v, y.v, nil)} }

// Normalize returns every row divided by its length.
func (x *Var) Normalize() *Var { return &Var{x.t, x.t.Normalize(x.v)} }
