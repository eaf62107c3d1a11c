package grad

import (
	"math"
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/ref"
	core "tunebook/engine/grad"
	"tunebook/engine/tensor"
	"tunebook/stdlib/stop"
)

// Every operation has the gradient of central differences and the value of its name.
func TestOperations(t *testing.T) {
	dev, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	x := []float32{0.5, 1.5, -0.7, 2, 0.3, 1.1}
	p := &core.Param{Name: "x", Shape: []int{3, 2}, Value: dev.Alloc(tensor.F32, 6), Grad: dev.Alloc(tensor.F32, 6)}
	sq := func(v float64) float64 { return v * v }
	for name, c := range map[string]struct {
		f     func(x *Var) *Var
		first float64 // the first element of the result
	}{
		"Add":        {func(x *Var) *Var { return x.Add(x.Scale(2)) }, 1.5},
		"Sub":        {func(x *Var) *Var { return x.Sub(x.Scale(3)) }, -1},
		"Mul":        {func(x *Var) *Var { return x.Mul(x.Plus(1)) }, 0.75},
		"Exp":        {func(x *Var) *Var { return x.Exp() }, math.Exp(0.5)},
		"Log":        {func(x *Var) *Var { return x.Square().Log() }, math.Log(0.25)},
		"Square":     {func(x *Var) *Var { return x.Square() }, 0.25},
		"ReLU":       {func(x *Var) *Var { return x.ReLU() }, 0.5},
		"LogSigmoid": {func(x *Var) *Var { return x.LogSigmoid() }, -math.Log1p(math.Exp(-0.5))},
		"Softmax":    {func(x *Var) *Var { return x.Softmax().Square() }, sq(1 / (1 + math.E))},
		"Map":        {func(x *Var) *Var { return x.Map(math.Sin, math.Cos) }, math.Sin(0.5)},
		"RowMeans":   {func(x *Var) *Var { return x.RowMeans().Square() }, 1},
		"Pick":       {func(x *Var) *Var { return x.Pick([]int32{1, 0, 1}).Square() }, 2.25},
		"Take":       {func(x *Var) *Var { return x.Take([]int32{2, 0}).Square() }, 0.09},
		"Mix":        {func(x *Var) *Var { return x.Mix([]float32{1, 0, 2}).Square() }, sq(1.1)},
		"Dots":       {func(x *Var) *Var { return x.Dots(x.Take([]int32{0})).Square() }, sq(2.5)},
		"Normalize":  {func(x *Var) *Var { return x.Normalize().Exp() }, math.Exp(0.5 / math.Sqrt(2.5))},
	} {
		at := func(record bool) (sum, first float64) {
			dev.Upload(p.Value, x)
			tape := core.New(dev, record)
			defer tape.Free()
			y := c.f(&Var{tape, tape.Embedding(tape.Param(p), tape.Ints([]int32{0, 1, 2}), 3)})
			v := y.Values()
			if len(v) != y.Rows()*y.Cols() {
				t.Errorf("%s: %d values of (%d, %d)", name, len(v), y.Rows(), y.Cols())
			}
			for _, e := range v {
				sum += float64(e)
			}
			if record {
				tape.From(y.Engine(), 1)
				tape.Backward()
			}
			return sum, float64(v[0])
		}
		dev.Fill(p.Grad, 0)
		if _, first := at(true); math.Abs(first-c.first) > 1e-6 {
			t.Errorf("%s: %g; wanted %g", name, first, c.first)
		}
		g := make([]float32, 6)
		if err := dev.Download(g, p.Grad); err != nil {
			t.Fatal(err)
		}
		for i := range x {
			const h = 2e-3
			old := x[i]
			x[i] = old + h
			up, _ := at(false)
			x[i] = old - h
			down, _ := at(false)
			x[i] = old
			if want := (up - down) / (2 * h); math.Abs(want-float64(g[i])) > 3e-3*(1+math.Abs(want)) {
				t.Errorf("%s: element %d: gradient %g, central difference %g", name, i, g[i], want)
			}
		}
	}
	defer func() {
		if _, ok := recover().(*stop.Error); !ok {
			t.Error("a row that is taken twice was taken")
		}
	}()
	tape := core.New(dev, false)
	(&Var{tape, tape.Constant(2, 1, []float32{1, 2})}).Take([]int32{0, 0})
}
