package grad

import (
	"math"
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

func device(t *testing.T) backend.Backend {
	t.Helper()
	dev, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

func param(dev backend.Backend, name string, trained bool, rows, cols int) *Param {
	p := &Param{Name: name, Shape: []int{rows, cols}, Value: dev.AllocUninit(tensor.F32, rows*cols)}
	r := tensor.NewRNG(1, name)
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(r.Norm())
	}
	dev.Upload(p.Value, x)
	if trained {
		p.Grad = dev.Alloc(tensor.F32, rows*cols)
	}
	return p
}

// loss runs a small graph in which one activation has three readers, one of them through a gate whose other side needs
// no gradient, and returns the summed loss.
func loss(t *testing.T, dev backend.Backend, a, b, head *Param, record bool) float64 {
	t.Helper()
	tape := New(dev, record)
	defer tape.Free()
	ids := tape.Ints([]int32{0, 2, 1, 2})
	x := tape.Embedding(tape.Param(a), ids, 4)
	y := tape.Linear(x, tape.Param(b), nil)
	n, s := tape.RMSNorm(x, y, tape.Param(&Param{Name: "ones", Shape: []int{3}, Value: ones(dev, 3)}), 1e-5)
	z := tape.SwiGLU(n, s)
	g := tape.Gather(tape.SwiGLU(z, x), tape.Ints([]int32{3, 0}), 2)
	nll := tape.LinearCrossEntropy(g, tape.Param(head), tape.Ints([]int32{1, 0}), nil, 1)
	host := make([]float32, 2)
	if err := dev.Download(host, nll); err != nil {
		t.Fatal(err)
	}
	if record {
		tape.Backward()
	}
	return float64(host[0]) + float64(host[1])
}

func ones(dev backend.Backend, n int) backend.Buffer {
	b := dev.AllocUninit(tensor.F32, n)
	dev.Fill(b, 1)
	return b
}

// Gradients of values with several readers add up, and a frozen parameter costs and gets nothing.
func TestManyReaders(t *testing.T) {
	dev := device(t)
	for _, frozen := range []string{"", "a", "b", "head"} {
		a, b, head := param(dev, "a", frozen != "a", 3, 3), param(dev, "b", frozen != "b", 3, 3), param(dev, "head", frozen != "head", 4, 3)
		loss(t, dev, a, b, head, true)
		for _, p := range []*Param{a, b, head} {
			if p.Grad == nil {
				continue
			}
			g, x := make([]float32, p.Len()), make([]float32, p.Len())
			if err := dev.Download(g, p.Grad); err != nil {
				t.Fatal(err)
			}
			if err := dev.Download(x, p.Value); err != nil {
				t.Fatal(err)
			}
			for i := range x {
				const h = 1e-2
				old := x[i]
				at := func(d float32) float64 {
					x[i] = old + d
					dev.Upload(p.Value, x)
					return loss(t, dev, a, b, head, false)
				}
				want := (at(h) - at(-h)) / (2 * h)
				x[i] = old
				dev.Upload(p.Value, x)
				if math.Abs(want-float64(g[i])) > 2e-3*(1+math.Abs(want)) {
					t.Errorf("frozen %q: %s[%d]: gradient %g, central difference %g", frozen, p.Name, i, g[i], want)
				}
			}
		}
	}
}

func TestBackwardWantsARecord(t *testing.T) {
	dev := device(t)
	a := param(dev, "a", true, 3, 3)
	tape := New(dev, false)
	tape.Embedding(tape.Param(a), tape.Ints([]int32{1}), 1)
	defer func() {
		if recover() == nil {
			t.Error("Backward on a tape that does not record went through")
		}
	}()
	tape.Backward()
}
