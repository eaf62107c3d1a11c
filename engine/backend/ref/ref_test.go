package ref

import (
	"math"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

var b = New()

func f(v ...float32) backend.Buffer {
	x := b.Alloc(tensor.F32, len(v))
	b.Upload(x, v)
	return x
}

func n(v ...int32) backend.Buffer {
	x := b.Alloc(tensor.I32, len(v))
	b.UploadInts(x, v)
	return x
}

// wantF compares with numbers worked out by hand from the formulas.
func wantF(t *testing.T, what string, x backend.Buffer, want ...float64) {
	t.Helper()
	got := make([]float32, len(want))
	if err := b.Download(got, x); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= 1e-6*(1+math.Abs(want[i]))) {
			t.Errorf("%s[%d] = %v; wanted %v", what, i, got[i], want[i])
		}
	}
}

func TestOpen(t *testing.T) {
	d, err := backend.Open("ref")
	if err != nil || d.Name() != "ref" {
		t.Fatalf("Open = %v, %v", d, err)
	}
}

func TestMatMul(t *testing.T) {
	c := f(1, 1, 1, 1)
	b.MatMul(c, f(1, 2, 3, 4, 5, 6), f(1, 0, 2, 0, 1, 1), 2, 2, 3, backend.NT, 1, 0)
	wantF(t, "NT", c, 7, 5, 16, 11)
	b.MatMul(c, f(1, 2, 3, 4, 5, 6), f(1, 0, 0, 1, 2, 1), 2, 2, 3, backend.NN, 2, 1)
	wantF(t, "NN", c, 7+14, 5+10, 16+32, 11+22)
	b.MatMul(c, f(1, 4, 2, 5, 3, 6), f(1, 0, 0, 1, 2, 1), 2, 2, 3, backend.TN, 1, 0)
	wantF(t, "TN", c, 7, 5, 16, 11)
}

func TestEmbedding(t *testing.T) {
	y, dW := f(0, 0, 0, 0, 0, 0), f(1, 1, 1, 1, 1, 1)
	b.EmbeddingForward(y, f(1, 2, 3, 4, 5, 6), n(2, 0, 2), 3, 2)
	wantF(t, "y", y, 5, 6, 1, 2, 5, 6)
	b.EmbeddingBackward(dW, f(1, 2, 3, 4, 5, 6), n(2, 0, 2), 3, 2)
	wantF(t, "dW", dW, 4, 5, 1, 1, 7, 9)
}

func TestRMSNorm(t *testing.T) {
	y, sum, rstd := f(0, 0), f(0, 0), f(0)
	b.RMSNormForward(y, sum, rstd, f(1, 3), f(2, 1), f(1, 10), 1, 2, 0.5)
	r := 1 / math.Sqrt((9+16)/2.0+0.5)
	wantF(t, "sum", sum, 3, 4)
	wantF(t, "rstd", rstd, r)
	wantF(t, "y", y, 3*r, 40*r)
	b.RMSNormForward(y, nil, rstd, f(3, 4), nil, f(1, 10), 1, 2, 0.5)
	wantF(t, "y without res", y, 3*r, 40*r)
}

func TestRoPE(t *testing.T) {
	y := f(0, 0, 0, 0)
	quarter := float32(math.Pi / 2)
	b.RoPE(y, f(1, 2, 3, 4), n(1), f(quarter, 0), 1, 1, 4, backend.Half, false)
	wantF(t, "half", y, -3, 2, 1, 4)
	b.RoPE(y, f(1, 2, 3, 4), n(1), f(quarter, 0), 1, 1, 4, backend.Interleaved, false)
	wantF(t, "interleaved", y, -2, 1, 3, 4)
	b.RoPE(y, f(1, 2, 3, 4), n(1), f(quarter, 0), 1, 1, 4, backend.Half, true)
	wantF(t, "inverse", y, 3, 2, -1, 4)
	b.RoPE(y, f(1, 2, 3, 4), n(0), f(quarter, 0), 1, 1, 4, backend.Half, false)
	wantF(t, "position 0", y, 1, 2, 3, 4)
}

func TestSwiGLU(t *testing.T) {
	y := f(0, 0, 0)
	b.SwiGLUForward(y, f(0, 1, -200), f(5, 2, 3), 3)
	wantF(t, "y", y, 0, 2/(1+math.Exp(-1)), 0)
}

// Two heads share one key-value head; the second document must not see the first; a decode step sees all its keys.
func TestAttention(t *testing.T) {
	o, lse := f(9, 9, 9, 9, 9, 9), f(9, 9, 9, 9, 9, 9)
	q, k, v := f(0, 1, 0, 1, 0, 1), f(0, 1, 2), f(10, 20, 40)
	segs := &backend.Segments{List: []backend.Segment{{QStart: 0, QLen: 2, KStart: 0, KLen: 2}, {QStart: 2, QLen: 1, KStart: 2, KLen: 1}}}
	b.AttentionForward(o, lse, q, k, v, segs, 2, 1, 1, 1)
	e := math.E
	wantF(t, "o", o, 10, 10, 15, (10+20*e)/(1+e), 40, 40)
	wantF(t, "lse", lse, 0, 0, math.Log(2), math.Log(1+e), 0, 2)

	decode := &backend.Segments{List: []backend.Segment{{QStart: 1, QLen: 1, KStart: 0, KLen: 3}}}
	b.Fill(o, 9)
	b.AttentionForward(o, nil, q, k, v, decode, 2, 1, 1, 1)
	wantF(t, "decode", o, 9, 9, 70/3.0, (10+20*e+40*e*e)/(1+e+e*e), 9, 9)
}

func TestLinearCrossEntropy(t *testing.T) {
	nll, dX, dW := f(9, 9), f(9, 9), f(1, 1)
	b.LinearCrossEntropy(nll, dX, dW, f(1, 5), f(0, 1), n(1, backend.IgnoreIndex), f(2, 1), 2, 1, 2, 3)
	p := math.E / (1 + math.E)
	wantF(t, "nll", nll, -math.Log(p), 0)
	wantF(t, "dX", dX, 6*(p-1), 0)
	wantF(t, "dW", dW, 1+6*(1-p), 1+6*(p-1))
}

func TestRows(t *testing.T) {
	y := f(9, 9, 9, 9)
	b.Gather(y, f(1, 2, 3, 4, 5, 6), n(2, 0), 2, 2)
	wantF(t, "gather", y, 5, 6, 1, 2)
	b.Scatter(y, f(7, 8), n(1), 1, 2)
	wantF(t, "scatter", y, 5, 6, 7, 8)
}

func TestVector(t *testing.T) {
	x, y, out := f(3, 4), f(0, 0), f(9)
	b.SumSquares(out, []backend.Buffer{x})
	wantF(t, "sum", out, 25)
	b.Copy(y, x)
	b.AddScaled(y, x, -0.5)
	wantF(t, "y", y, 1.5, 2)
}

// The first step moves by LR in the direction of the gradient's sign, whatever its size, after the decay.
func TestAdamW(t *testing.T) {
	p, m, v := f(1, 1), f(0, 0), f(0, 0)
	rounded := f(9, 9)
	list := []backend.AdamWTensor{{P: p, G: f(8, -0.002), Rounded: rounded, Moments: backend.Moments{M: m, V: v}, Rate: 2, WeightDecay: 0.2}}
	b.AdamW(list, backend.AdamWStep{LR: 0.25, Beta1: 0.9, Beta2: 0.99, GradScale: 0.5, Step: 1})
	wantF(t, "rounded", rounded, 0.400390625, 1.3984375)
	wantF(t, "p", p, 1-0.1-0.5, 1-0.1+0.5)
	wantF(t, "m", m, 0.4, -0.0001)
	wantF(t, "v", v, 0.16, 1e-8)
}

func TestPanics(t *testing.T) {
	segs := &backend.Segments{List: []backend.Segment{{QLen: 2, KLen: 1}}}
	for name, call := range map[string]func(){
		"short operand":   func() { b.MatMul(f(1), f(1), f(1, 2), 1, 1, 2, backend.NT, 1, 0) },
		"ids as floats":   func() { b.EmbeddingForward(f(1), f(1), f(0), 1, 1) },
		"floats as ids":   func() { b.Fill(n(1), 0) },
		"id too large":    func() { b.EmbeddingForward(f(1), f(1), n(1), 1, 1) },
		"negative target": func() { b.LinearCrossEntropy(f(1), nil, nil, f(1), f(1), n(-1), nil, 1, 1, 1, 1) },
		"fewer keys":      func() { b.AttentionForward(f(1, 2), nil, f(1, 2), f(1, 2), f(1, 2), segs, 1, 1, 1, 1) },
		"heads":           func() { b.AttentionForward(f(1), nil, f(1), f(1), f(1), &backend.Segments{}, 3, 2, 1, 1) },
		"odd head":        func() { b.RoPE(f(1), f(1), n(0), f(), 1, 1, 1, backend.Half, false) },
		"lengths":         func() { b.Copy(f(1, 2), f(1)) },
		"step 0": func() {
			b.AdamW([]backend.AdamWTensor{{P: f(1), G: f(1), Moments: backend.Moments{M: f(1), V: f(1)}}}, backend.AdamWStep{})
		},
		"res without sum": func() { b.RMSNormForward(f(1), nil, f(1), f(1), f(1), f(1), 1, 1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if _, ok := recover().(string); !ok {
					t.Error("no panic with a message")
				}
			}()
			call()
		})
	}
}

func TestSample(t *testing.T) {
	row := []float32{float32(math.Log(2)), 0, float32(math.Log(4)), 0, float32(math.Log(2))} // weights 2 1 4 1 2, of ten
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		d    backend.Draw
		row  []float32
		want int32
	}{
		{backend.Draw{}, row, 2}, {backend.Draw{}, []float32{-3, -1, -1}, 1}, {backend.Draw{}, []float32{-inf, -inf}, -1},
		{backend.Draw{}, []float32{0, float32(math.NaN())}, -1}, {backend.Draw{Temperature: 1}, []float32{inf, 0}, -1},
		{backend.Draw{Temperature: 1, U: 0.19}, row, 0}, {backend.Draw{Temperature: 1, U: 0.21}, row, 1}, {backend.Draw{Temperature: 1, U: 0.99}, row, 4},
		{backend.Draw{Temperature: 0.5, U: 4.1 / 26}, row, 1},                                                              // weights 4 1 16 1 4
		{backend.Draw{Temperature: 1, TopK: 3, U: 0.49}, row, 2}, {backend.Draw{Temperature: 1, TopK: 3, U: 0.51}, row, 0}, // 4 2 2
		{backend.Draw{Temperature: 1, TopK: 3, U: 0.76}, row, 4}, {backend.Draw{Temperature: 1, TopK: 2, U: 0.99}, row, 0}, // the first of equals
		{backend.Draw{Temperature: 1, TopP: 0.59, U: 0.99}, row, 0}, {backend.Draw{Temperature: 1, TopP: 0.61, U: 0.99}, row, 4}, // 6 and 8 of ten
		{backend.Draw{Temperature: 1, TopK: 3, TopP: 0.74, U: 0.99}, row, 0}, {backend.Draw{Temperature: 1, MinP: 0.49, U: 0.99}, row, 4}, // of the 8 that are left
		{backend.Draw{Temperature: 1, MinP: 0.51, U: 0.99}, row, 2},
	} {
		ids := n(9)
		b.Sample(ids, f(c.row...), []backend.Draw{c.d}, len(c.row))
		if got := make([]int32, 1); b.DownloadInts(got, ids) != nil || got[0] != c.want {
			t.Errorf("%+v of %v: %v; wanted %v", c.d, c.row, got, c.want)
		}
	}
	nll := f(9, 9)
	b.CrossEntropy(nll, f(row[:4]...), n(1, 0), 2, 2)
	wantF(t, "nll", nll, math.Log(3), math.Log(5)-math.Log(4))
}
