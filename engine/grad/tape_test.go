package grad

import (
	"errors"
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

// A contrastive loss: both sides of LinearCrossEntropy are activations, pooled and of length 1. Gradients are finite
// differences.
func TestContrastive(t *testing.T) {
	dev := device(t)
	e, w := param(dev, "emb", true, 5, 3), param(dev, "w", true, 3, 3)
	at := func(record bool) float64 {
		tape := New(dev, record)
		defer tape.Free()
		h := tape.Linear(tape.Embedding(tape.Param(e), tape.Ints([]int32{0, 1, 2, 3, 4, 1}), 6), tape.Param(w), nil)
		q := tape.Normalize(tape.Mix([]float32{0.5, 0.5, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, h))
		k := tape.Normalize(tape.Mix([]float32{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0.25, 0.75}, h))
		nll := tape.LinearCrossEntropy(tape.Scale(q, 3), k, tape.Ints([]int32{0, 1}), nil, 1)
		host := make([]float32, 2)
		if err := dev.Download(host, nll); err != nil {
			t.Fatal(err)
		}
		if record {
			tape.Backward()
		}
		return float64(host[0]) + float64(host[1])
	}
	at(true)
	for _, p := range []*Param{e, w} {
		g, x := make([]float32, p.Len()), make([]float32, p.Len())
		if dev.Download(g, p.Grad) != nil || dev.Download(x, p.Value) != nil {
			t.Fatal("no gradient")
		}
		for i := range x {
			const h = 1e-2
			old := x[i]
			with := func(d float32) float64 {
				x[i] = old + d
				dev.Upload(p.Value, x)
				return at(false)
			}
			want := (8*(with(h)-with(-h)) - (with(2*h) - with(-2*h))) / (12 * h)
			x[i] = old
			dev.Upload(p.Value, x)
			if math.Abs(want-float64(g[i])) > 2e-3*(1+math.Abs(want)) {
				t.Errorf("%s[%d]: gradient %g, finite differences %g", p.Name, i, g[i], want)
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

// The operations that other families than Llama need, in one graph: an activation with several readers, a part of a split
// that nobody reads, a bias behind a frozen weight, and each parameter frozen in turn. Gradients are central differences.
func TestFamilyOperations(t *testing.T) {
	dev := device(t)
	names := []string{"emb", "w", "wt", "bias", "norm", "shift", "plus", "head", "A", "B"}
	shapes := map[string][2]int{"emb": {5, 8}, "w": {24, 8}, "wt": {8, 8}, "bias": {1, 24}, "norm": {1, 8}, "shift": {1, 8}, "plus": {1, 4},
		"head": {6, 8}, "A": {2, 8}, "B": {8, 2}}
	for _, frozen := range append([]string{"", "all but bias"}, names...) {
		p := map[string]*Param{}
		for _, n := range names {
			trained := frozen != n && (frozen != "all but bias" || n == "bias")
			p[n] = param(dev, n, trained, shapes[n][0], shapes[n][1])
		}
		at := func(record bool) float64 {
			tape := New(dev, record)
			defer tape.Free()
			v := func(n string) *Var { return tape.Param(p[n]) }
			const T = 4
			pos, freqs := tape.Ints([]int32{0, 1, 2, 3}), tape.Floats([]float32{0.7})
			x := tape.Scale(tape.Embedding(v("emb"), tape.Ints([]int32{0, 3, 1, 3}), T), 0.5)
			n, s := tape.LayerNorm(x, nil, v("norm"), v("shift"), 1e-3)
			qkv := tape.Linear(n, v("w"), nil)
			tape.AddBias(qkv, v("bias"))
			rows := make([][]int32, 3)
			for i := range 3 * T {
				rows[i%3] = append(rows[i%3], int32(i))
			}
			parts := tape.Split(qkv, 8, rows...) // the third is not read
			q, _ := tape.RMSNorm(parts[0], nil, tape.OnePlus(v("plus")), 1e-3)
			tape.RoPEPart(q, pos, freqs, 2, 4, 2, backend.Half)
			g := tape.GeGLU(q, parts[1], true)
			h := tape.LinearT(tape.GeGLU(g, nil, false), v("wt"), &Adapter{A: v("A"), B: v("B"), Scale: 0.5})
			y, sum := tape.LayerNorm(s, h, v("norm"), v("shift"), 1e-3)
			z := tape.Add(tape.Add(y, sum), x)
			nll := tape.LinearCrossEntropy(z, v("head"), tape.Ints([]int32{1, 0, 5, 2}), nil, 1)
			host := make([]float32, T)
			if err := dev.Download(host, nll); err != nil {
				t.Fatal(err)
			}
			if record {
				tape.Backward()
			}
			total := 0.0
			for _, l := range host {
				total += float64(l)
			}
			return total
		}
		at(true)
		for _, name := range names {
			q := p[name]
			if q.Grad == nil {
				continue
			}
			g, x := make([]float32, q.Len()), make([]float32, q.Len())
			if err := dev.Download(g, q.Grad); err != nil {
				t.Fatal(err)
			}
			if err := dev.Download(x, q.Value); err != nil {
				t.Fatal(err)
			}
			moved := false
			for i := range x {
				const h = 1e-2
				old := x[i]
				with := func(d float32) float64 {
					x[i] = old + d
					dev.Upload(q.Value, x)
					return at(false)
				}
				want := (8*(with(h)-with(-h)) - (with(2*h) - with(-2*h))) / (12 * h)
				x[i] = old
				dev.Upload(q.Value, x)
				moved = moved || want != 0
				if math.Abs(want-float64(g[i])) > 2e-3*(1+math.Abs(want)) {
					t.Errorf("frozen %q: %s[%d]: gradient %g, finite differences %g", frozen, name, i, g[i], want)
				}
			}
			if !moved {
				t.Errorf("frozen %q: %s moves nothing", frozen, name)
			}
		}
	}
}

// What a tape forgets is made again to the same bits, and takes less memory in between; the gradient of a trained parameter is
// made where it is first wanted, and later passes add to it.
func TestForget(t *testing.T) {
	dev := device(t)
	run := func(dev backend.Backend, forget, made bool, passes int) map[string]backend.Buffer {
		params := map[string]*Param{}
		of := func(name string, rows, cols int) *Param {
			if params[name] == nil {
				params[name] = param(dev, name, made, rows, cols)
				params[name].Trained = true
			}
			return params[name]
		}
		for range passes {
			tape := New(dev, true)
			ids := tape.Ints([]int32{0, 2, 1, 2})
			x := tape.Embedding(tape.Param(of("embed", 3, 4)), ids, 4)
			done := tape.Release
			if forget {
				done = func(vs ...*Var) {
					for _, v := range vs {
						tape.Forget(v)
					}
				}
			}
			for range 3 {
				y := tape.Linear(x, tape.Param(of("in", 4, 4)), nil)
				n, s := tape.RMSNorm(x, y, tape.Param(of("norm", 1, 4)), 1e-5)
				gate, up := tape.Linear(n, tape.Param(of("gate", 40, 4)), nil), tape.Linear(n, tape.Param(of("up", 40, 4)), nil)
				done(n)
				h := tape.SwiGLU(gate, up)
				x = tape.Linear(h, tape.Param(of("down", 4, 40)), nil)
				done(h)
				n, x = tape.LayerNorm(s, x, tape.Param(of("w", 1, 4)), tape.Param(of("b", 1, 4)), 1e-5)
				x = tape.Add(x, tape.Linear(n, tape.Param(of("out", 4, 4)), nil))
				done(n)
			}
			tape.LinearCrossEntropy(x, tape.Param(of("embed", 3, 4)), tape.Ints([]int32{1, 0, 2, 2}), nil, 1)
			tape.Backward()
			tape.Free()
		}
		out := map[string]backend.Buffer{}
		for name, p := range params {
			out[name] = p.Grad
		}
		return out
	}
	for _, passes := range []int{1, 2} {
		want := run(dev, false, true, passes)
		for _, forget := range []bool{false, true} {
			for _, made := range []bool{false, true} {
				for name, g := range run(dev, forget, made, passes) {
					x, y := make([]float32, g.Len()), make([]float32, g.Len())
					if err := errors.Join(dev.Download(x, g), dev.Download(y, want[name])); err != nil {
						t.Fatal(err)
					}
					sum := float32(0)
					for i := range x {
						if x[i] != y[i] {
							t.Fatalf("%s[%d] with %d passes, forgotten %v, made before %v: %g; wanted %g", name, i, passes, forget, made, x[i], y[i])
						}
						sum += x[i] * x[i]
					}
					if sum == 0 && name != "b" {
						t.Errorf("%s has no gradient", name)
					}
				}
			}
		}
	}
	kept, forgot := backend.NewMeter(), backend.NewMeter()
	run(kept, false, false, 1)
	run(forgot, true, false, 1)
	if forgot.Peak() >= kept.Peak() {
		t.Errorf("forgetting takes %d bytes, keeping %d", forgot.Peak(), kept.Peak())
	}
}

// TestTranspose: no bit changes, on devices that round operands of products either.
func TestTranspose(t *testing.T) {
	for _, name := range []string{"ref", "cpu", "cpu-bf16"} {
		dev, err := backend.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		const rows, cols = 65, 70
		x, y := param(dev, "x", false, rows, cols).Value, dev.AllocUninit(tensor.F32, rows*cols)
		Transpose(dev, y, x, rows, cols)
		from, to := make([]float32, rows*cols), make([]float32, rows*cols)
		if err := dev.Download(from, x); err != nil {
			t.Fatal(err)
		}
		if err := dev.Download(to, y); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			for j := range cols {
				if to[j*rows+i] != from[i*cols+j] {
					t.Fatalf("%s: element %d, %d is %v; wanted %v", name, j, i, to[j*rows+i], from[i*cols+j])
				}
			}
		}
	}
}
