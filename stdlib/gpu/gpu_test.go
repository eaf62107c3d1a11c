package gpu

import (
	"math"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend/cuda/nvrtc"
	"tunebook/stdlib/stop"
)

// add is y[i] += a·x[i] as PTX, which needs no compiler.
const add = `.version 7.2
.target sm_80
.address_size 64
.visible .entry add(.param .u64 y, .param .u64 x, .param .f32 a, .param .u32 n)
{
	.reg .pred %p<2>;
	.reg .f32 %f<5>;
	.reg .b32 %r<6>;
	.reg .b64 %rd<6>;
	ld.param.u64 %rd1, [y];
	ld.param.u64 %rd2, [x];
	ld.param.f32 %f1, [a];
	ld.param.u32 %r1, [n];
	mov.u32 %r2, %ctaid.x;
	mov.u32 %r3, %ntid.x;
	mov.u32 %r4, %tid.x;
	mad.lo.s32 %r5, %r2, %r3, %r4;
	setp.ge.s32 %p1, %r5, %r1;
	@%p1 ret;
	mul.wide.s32 %rd3, %r5, 4;
	add.s64 %rd4, %rd1, %rd3;
	add.s64 %rd5, %rd2, %rd3;
	ld.global.f32 %f2, [%rd4];
	ld.global.f32 %f3, [%rd5];
	fma.rn.f32 %f4, %f1, %f3, %f2;
	st.global.f32 [%rd4], %f4;
	ret;
}
`

// stopped returns the sentence that f stops with.
func stopped(f func()) (msg string) {
	defer func() {
		if e, ok := recover().(*stop.Error); ok {
			msg = e.Error()
		}
	}()
	f()
	return ""
}

func TestLaunch(t *testing.T) {
	d := Sim()
	k := d.Compile(add)
	x, y := d.Floats([]float32{1, 2, 3}), d.Floats([]float32{10, 20, 30})
	k.Launch(2, 2, y, x, 2, 3)
	if got := y.Floats(); got[0] != 12 || got[1] != 24 || got[2] != 36 {
		t.Errorf("%v; wanted 12 24 36", got)
	}
	if y.String() != "3 elements on cuda-sim: [12 24 36]" {
		t.Errorf("%s", y)
	}
	other := Sim().Floats([]float32{1})
	for want, f := range map[string]func(){
		"add takes 4 arguments; 1 given":                                func() { k.Launch(1, 1, y) },
		"argument 4: a buffer; the kernel takes a number of 4 bytes":    func() { k.Launch(1, 1, y, x, 1, x) },
		"argument 3: a string; the kernel takes a float of 4 bytes":     func() { k.Launch(1, 1, y, x, "1", 1) },
		"argument 4: a float64; the kernel takes an integer of 4 bytes": func() { k.Launch(1, 1, y, x, 1, 1.5) },
		"argument 4: 8589934592 does not fit into 4 bytes":              func() { k.Launch(1, 1, y, x, 1, 1<<33) },
		"argument 2: a buffer of another device":                        func() { k.Launch(1, 1, y, other, 1, 1) },
		"thread (3,0,0): out of bounds: 4 bytes at byte 12 of":          func() { k.Launch(1, 4, y, x, 1, 4) },
		"hint: line 23: ld.global.f32 %f2, [%rd4];":                     func() { k.Launch(1, 4, y, x, 1, 4) },
		"uninitialised read":                                            func() { k.Launch(1, 1, d.Empty(1), x, 1, 1) },
		"wanted at least 1 everywhere":                                  func() { k.Launch(0, 1, y, x, 1, 1) },
		"no kernel sub; the source has add":                             func() { d.Compile(add, "sub") },
		"2 names given for a source with the kernels add; wanted one":   func() { d.Compile(add, "a", "b") },
		"PTX line 2: \"frob\" is not known here":                        func() { d.Compile(".version 7.2\nfrob") },
		"gpu.Ints: the buffer holds floats":                             func() { x.Ints() },
		"-1 elements; wanted 0 or more":                                 func() { d.Empty(-1) },
	} {
		if got := stopped(f); !strings.Contains(got, want) {
			t.Errorf("%q; wanted %q", got, want)
		}
	}
	if y.Floats()[0] != 12 {
		t.Error("a launch that was refused changed something")
	}
}

func TestCall(t *testing.T) {
	d := Sim()
	x, w := d.Floats([]float32{1, 2, 3, 4}), d.Floats([]float32{1, 1, 0, 1})
	y := d.Empty(4)
	d.Call("MatMul", y, x, w, 2, 2, 2, "NT", 1, 0.0)
	if got := y.Floats(); got[0] != 3 || got[1] != 2 || got[2] != 7 || got[3] != 4 {
		t.Errorf("%v; wanted 3 2 7 4", got)
	}
	rstd := d.Empty(2)
	d.Call("RMSNormForward", y, nil, rstd, x, nil, d.Floats([]float32{1, 1}), 2, 2, 0.0)
	if got := float64(y.Floats()[0]); math.Abs(got-1/math.Sqrt(2.5)) > 1e-6 {
		t.Errorf("%v", got)
	}
	d.Call("AttentionForward", y, nil, x, x, x, Segments(1, 1), 1, 1, 2, 1)
	if got := y.Floats(); got[3] != 4 {
		t.Errorf("%v; each document sees itself alone", got)
	}
	ids := d.Ints([]int32{1, 0})
	d.Call("Gather", y, x, ids, 2, 2)
	if got := y.Floats(); got[0] != 3 || ids.Floats()[0] != 1 || ids.Ints()[1] != 0 {
		t.Errorf("%v", got)
	}
	d.Call("Sample", ids, x, []Draw{{Temperature: 1, TopK: 1}, {Temperature: 1, U: 0.1}}, 2)
	if got := ids.Ints(); got[0] != 1 || got[1] != 0 {
		t.Errorf("%v; wanted 1 0", got)
	}
	two := d.Empty(2)
	d.Call("SumSquares", two, []*Buffer{x, w})
	if got := two.Floats(); got[0] != 30 || got[1] != 3 {
		t.Errorf("%v; wanted 30 3", got)
	}
	p, m, v := d.Floats([]float32{1, 1, 1, 1}), d.Floats(make([]float32, 4)), d.Floats(make([]float32, 4))
	d.Call("AdamW", []Update{{P: p, G: x, M: m, V: v, Rate: 1, WeightDecay: 1}}, AdamWStep{LR: 0.5, Beta1: 0.9, Beta2: 0.99, GradScale: 1, Step: 1})
	if got := p.Floats(); math.Abs(float64(got[3])) > 1e-6 || math.Abs(float64(m.Floats()[1])-0.2) > 1e-6 {
		t.Errorf("%v; the first step moves by LR after the decay", got)
	}
	for want, f := range map[string]func(){
		"tensor 0 has no P, G, M or V":               func() { d.Call("AdamW", []Update{{P: p}}, AdamWStep{}) },
		"argument 2: a buffer of another device":     func() { d.Call("SumSquares", two, []*Buffer{Sim().Empty(1)}) },
		`no operation "Frob"`:                        func() { d.Call("Frob") },
		"there are AdamW, AddBias":                   func() { d.Call("Frob") },
		"Fill takes 2 arguments; 1 given":            func() { d.Call("Fill", y) },
		"Fill: argument 2: a string":                 func() { d.Call("Fill", y, "a") },
		"argument 7: \"XX\"; wanted NT, NN or TN":    func() { d.Call("MatMul", y, x, w, 2, 2, 2, "XX", 1, 0) },
		"Copy: 4 and 2 elements; wanted the same":    func() { d.Call("Copy", y, rstd) },
		"Gather: row 9 at position 0; wanted one of": func() { d.Call("Gather", y, x, d.Ints([]int32{9}), 1, 2) },
		"MatMul: argument 1: a buffer of another":    func() { d.Call("MatMul", Sim().Empty(4), x, w, 2, 2, 2, "NT", 1, 0) },
	} {
		if got := stopped(f); !strings.Contains(got, want) {
			t.Errorf("%q; wanted %q", got, want)
		}
	}
}

func TestCompile(t *testing.T) {
	if _, err := nvrtc.Open(); err != nil {
		t.Skip(err)
	}
	d := Sim()
	const source = `__global__ void reverse(float* x, int n) {
  extern __shared__ float s[];
  int i = threadIdx.x;
  s[i] = x[i];
  SYNC
  x[i] = s[n - 1 - i];
}
__global__ void one(float* x) { x[threadIdx.x] = 1; }
`
	x := make([]float32, 64)
	for i := range x {
		x[i] = float32(i)
	}
	k := d.Compile(strings.Replace(source, "SYNC", "__syncthreads();", 1), "reverse")
	k.Shared = 256
	b := d.Floats(x)
	k.Launch(1, 64, b, 64)
	if got := b.Floats(); got[0] != 63 || got[63] != 0 {
		t.Errorf("%v", got)
	}
	k = d.Compile(strings.Replace(source, "SYNC", "", 1), "reverse")
	k.Shared = 256
	if got := stopped(func() { k.Launch(1, 64, b, 64) }); !strings.Contains(got, "kernel.cu:6") || !strings.Contains(got, "hint: line 6: x[i] = s[n - 1 - i];") {
		t.Errorf("%q; wanted the line of the missing barrier's read", got)
	}
	if got := stopped(func() { d.Compile(source, "reverse") }); !strings.Contains(got, "kernel.cu:5") && !strings.Contains(got, "kernel.cu:6") || !strings.Contains(got, "hint: line") {
		t.Errorf("%q; wanted the line of the mistake", got)
	}
	if got := stopped(func() { d.Compile(strings.Replace(source, "SYNC", "", 1)) }); !strings.Contains(got, "with the kernels") {
		t.Errorf("%q; wanted a choice", got)
	}
}

func TestDemangled(t *testing.T) {
	for s, want := range map[string]string{"_Z5twicePfi": "twice", "twice": "twice", "_Z": "_Z", "_Z99x": "_Z99x", "_Z1fv": "f"} {
		if got := demangled(s); got != want {
			t.Errorf("%s: %s; wanted %s", s, got, want)
		}
	}
}

// TestBench: every rate is a number, on a device that needs no card, and it says that it is none.
func TestBench(t *testing.T) {
	r := Sim().Bench()
	if len(r.Rates) != 6 || !r.Simulated {
		t.Fatalf("%d rates, simulated %v; wanted 6, true", len(r.Rates), r.Simulated)
	}
	for _, v := range r.Rates {
		if !(v.Value > 0) || math.IsInf(v.Value, 0) || len(v.All) != 5 || v.Value != slices.Max(v.All) || !math.IsNaN(v.Share()) {
			t.Errorf("%+v", v)
		}
	}
	text, html := r.Show()
	for _, want := range []string{"cuda-sim: a simulated card", "product TN of 32", "TFLOP/s", "no measure of any card"} {
		if !strings.Contains(text, want) || !strings.Contains(html, want) {
			t.Errorf("no %q in %s\n%s", want, text, html)
		}
	}
	if c := r.Chart(); !strings.Contains(c.String(), "% of their medians") || !slices.Contains(c.Notes, noMeasure) {
		t.Errorf("%s", c)
	}
	if got := stopped(func() { Open("tpu") }); !strings.Contains(got, `wanted one, "cuda", "cuda-bf16" or such as "cuda:1"`) {
		t.Errorf("%q", got)
	}
}

// TestShares: a card's rates stand beside its limits, in the table and in the chart.
func TestShares(t *testing.T) {
	r := Rates{Device: "cuda: a card", Rates: []Rate{
		{What: "copy", Value: 2400, Unit: "GB/s", All: []float64{2300, 2400, 2350, 2390, 2400}, Limit: 3352},
		{What: "product NT of 4096", Value: 690, Unit: "TFLOP/s", All: []float64{640, 690, 680, 685, 600}, Limit: 989.4},
	}}
	if got, want := r.String(), `cuda: a card
what                rate  unit     limit  share
──────────────────  ────  ───────  ─────  ─────
copy                2400  GB/s      3352   72 %
product NT of 4096   690  TFLOP/s  989.4   70 %`; !strings.Contains(got, want) {
		t.Errorf("%s\nwanted\n%s", got, want)
	}
	if c := r.Chart(); c.Title != "Shares of the limits of cuda: a card, in %" || !strings.Contains(c.String(), "60.64") || !strings.Contains(c.String(), "71.6") || len(c.Notes) != 0 {
		t.Errorf("%s", c)
	}
	r.Rates[0].Limit = 0
	if got := r.String(); !strings.Contains(got, "limits of this card are not known") {
		t.Errorf("%s", got)
	}
}

func TestOpenWithoutCard(t *testing.T) {
	if len(Devices()) > 0 {
		t.Skip("there is a card")
	}
	if got := stopped(func() { Open() }); !strings.Contains(got, "gpu.Open: cuda: ") || !strings.Contains(got, "hint: gpu.Sim()") {
		t.Errorf("%q", got)
	}
}
