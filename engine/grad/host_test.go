package grad

import (
	"math"
	"slices"
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
)

// Every operation on the host, alone and after others, has the gradients of central differences, on both backends.
func TestHostOperations(t *testing.T) {
	for _, name := range []string{"ref", "cpu"} {
		dev, err := backend.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		teacher := []float32{0.3, -1, 2, 0.5, 1, 0, -0.2, 0.7, 0.1, -0.4, 1.5, 0.2}
		for op, f := range map[string]func(tape *Tape, x, w *Var) *Var{
			"Map": func(tape *Tape, x, w *Var) *Var {
				return tape.Map(x, math.Exp, func(_, y float64) float64 { return y })
			},
			"LogSigmoid": func(tape *Tape, x, w *Var) *Var { return tape.LogSigmoid(x) },
			"Mul":        func(tape *Tape, x, w *Var) *Var { return tape.Mul(x, tape.Linear(x, w, nil)) },
			"Mul itself": func(tape *Tape, x, w *Var) *Var { return tape.Mul(x, x) },
			"LogSoftmax": func(tape *Tape, x, w *Var) *Var {
				y := tape.LogSoftmax(x)
				return tape.Mul(y, y)
			},
			"Pick":    func(tape *Tape, x, w *Var) *Var { return tape.Pick(x, []int32{2, 0, 1, 1}) },
			"RowSums": func(tape *Tape, x, w *Var) *Var { return tape.LogSigmoid(tape.RowSums(x)) },
			"NLL": func(tape *Tape, x, w *Var) *Var {
				y := tape.NLL(x, w, tape.Ints([]int32{1, 2, 0, 2}))
				return tape.Mul(y, y)
			},
			"similarities": func(tape *Tape, x, w *Var) *Var {
				q := tape.Normalize(x)
				return tape.Pick(tape.LogSoftmax(tape.Scale(tape.Linear(q, tape.Normalize(tape.Linear(x, w, nil)), nil), 3)), []int32{0, 1, 2, 3})
			},
			"Distill": func(tape *Tape, x, w *Var) *Var { return tape.Distill(tape.Linear(x, w, nil), teacher, 2) },
		} {
			x, w := param(dev, "x", true, 4, 3), param(dev, "w", true, 3, 3)
			at := func(record bool) float64 {
				tape := New(dev, record)
				defer tape.Free()
				y := f(tape, tape.Linear(tape.Embedding(tape.Param(x), tape.Ints([]int32{0, 1, 2, 3}), 4), tape.Param(w), nil), tape.Param(w))
				out, err := tape.Values(y)
				if err != nil {
					t.Fatal(err)
				}
				if record {
					tape.From(y, 0.5)
					tape.Backward()
				}
				sum := 0.0
				for _, v := range out {
					sum += 0.5 * float64(v)
				}
				return sum
			}
			at(true)
			for _, p := range []*Param{x, w} {
				g, v := make([]float32, p.Len()), make([]float32, p.Len())
				if dev.Download(g, p.Grad) != nil || dev.Download(v, p.Value) != nil {
					t.Fatal("no gradient")
				}
				if !slices.ContainsFunc(g, func(x float32) bool { return x != 0 }) {
					t.Errorf("%s, %s: the gradient of %s is 0", name, op, p.Name)
				}
				for i := range v {
					const h = 5e-3
					old := v[i]
					move := func(d float32) float64 {
						v[i] = old + d
						dev.Upload(p.Value, v)
						return at(false)
					}
					want := (move(h) - move(-h)) / (2 * h)
					v[i] = old
					dev.Upload(p.Value, v)
					if math.Abs(want-float64(g[i])) > 4e-3*(1+math.Abs(want)) {
						t.Errorf("%s, %s: %s[%d]: gradient %g, central difference %g", name, op, p.Name, i, g[i], want)
					}
				}
			}
		}
	}
}

// Values far from zero stay finite.
func TestHostExtremes(t *testing.T) {
	dev := device(t)
	tape := New(dev, false)
	x := tape.Constant(1, 3, []float32{-1000, 0, 1000})
	for op, y := range map[string]*Var{"LogSigmoid": tape.LogSigmoid(x), "LogSoftmax": tape.LogSoftmax(x), "Distill": tape.Distill(x, []float32{1000, 0, -1000}, 1)} {
		v, err := tape.Values(y)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range v {
			if f-f != 0 {
				t.Errorf("%s: element %d is %g", op, i, f)
			}
		}
	}
}
