package cuda

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tunebook/engine/backend"
	"tunebook/engine/backend/conform"
	"tunebook/engine/tensor"
)

// The tests of a real card. They are part of the package's test binary, which runs on a machine without Go:
//
//	CGO_ENABLED=0 go test -c -o cuda.test ./engine/backend/cuda
//	./cuda.test -test.v -test.run Card -record instructions.json -test.bench Card
//
// -record writes what the card's instructions compute; committed as testdata/instructions.json it holds the simulator to the card.
var record = flag.String("record", "", "file to write what the card's instructions compute")

const recorded = "testdata/instructions.json"

// card returns the first card's backend, or skips the test.
func openFirst(t testing.TB) *Backend {
	t.Helper()
	b, err := Open(0)
	if err != nil {
		t.Skip(err)
	}
	return b
}

// family is an instruction whose results are held against a card: 32 lanes read three words each and write up to four.
type family struct {
	name string
	body string  // from %r10, %r11, %r12 to %r20 … %r23, or the float registers of the same numbers
	outs int     // words written by each lane
	tol  float64 // as float32, relative to the larger result; 0 for the same bits
	wide bool    // inputs from all of float32 rather than around 1
}

// A warp's 32 lanes of x as bf16 pairs make the fragments of mma; ldmatrix reads 512 bytes that the lanes have stored.
const stage = "mul.lo.s32 %r30, %r1, 16; add.s32 %r31, %r3, %r30; st.shared.v4.u32 [%r31], {%r10, %r11, %r12, %r10}; bar.warp.sync -1; "

var families = []family{
	{"fma.rn", "fma.rn.f32 %f20, %f10, %f11, %f12;", 1, 0, true},
	{"add", "add.f32 %f20, %f10, %f11;", 1, 0, true},
	{"div.rn", "div.rn.f32 %f20, %f10, %f11;", 1, 0, true},
	{"sqrt.rn", "abs.f32 %f10, %f10; sqrt.rn.f32 %f20, %f10;", 1, 0, true},
	{"rcp.rn", "rcp.rn.f32 %f20, %f10;", 1, 0, true},
	{"min, max", "min.f32 %f20, %f10, %f11; max.f32 %f21, %f10, %f11;", 2, 0, true},
	{"ex2.approx", "ex2.approx.ftz.f32 %f20, %f10;", 1, 0x1p-21, false},
	{"lg2.approx", "abs.f32 %f10, %f10; lg2.approx.f32 %f20, %f10;", 1, 0x1p-20, false},
	{"rsqrt.approx", "abs.f32 %f10, %f10; rsqrt.approx.f32 %f20, %f10;", 1, 0x1p-21, false},
	{"rcp.approx", "rcp.approx.ftz.f32 %f20, %f10;", 1, 0x1p-21, false},
	{"cvt to integers", "cvt.rzi.s32.f32 %r20, %f10; cvt.rni.s32.f32 %r21, %f10; cvt.rzi.u32.f32 %r22, %f10;", 3, 0, true},
	{"cvt from integers", "cvt.rn.f32.s32 %f20, %r10; cvt.rn.f32.u32 %f21, %r10;", 2, 0, true},
	{"cvt.bf16x2", "cvt.rn.bf16x2.f32 %r20, %f10, %f11;", 1, 0, true},
	{"shfl", "shfl.sync.bfly.b32 %r20, %r10, 5, 31, -1; shfl.sync.idx.b32 %r21, %r10, 7, 31, -1; shfl.sync.up.b32 %r22, %r10, 3, 0, -1; shfl.sync.down.b32 %r23, %r10, 3, 31, -1;", 4, 0, true},
	{"vote", "setp.lt.s32 %p1, %r10, %r11; vote.sync.ballot.b32 %r20, %p1, -1;", 1, 0, true},
	{"prmt, bfe, shf", "prmt.b32 %r20, %r10, %r11, %r12; bfe.s32 %r21, %r10, 5, 9; shf.l.wrap.b32 %r22, %r10, %r11, %r12;", 3, 0, true},
	{"ldmatrix.x4", stage + "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r20, %r21, %r22, %r23}, [%r31];", 4, 0, true},
	{"ldmatrix.x4.trans", stage + "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%r20, %r21, %r22, %r23}, [%r31];", 4, 0, true},
	{"mma.m16n8k16 bf16", "cvt.rn.bf16x2.f32 %r13, %f10, %f11; cvt.rn.bf16x2.f32 %r14, %f11, %f12; cvt.rn.bf16x2.f32 %r15, %f12, %f10; cvt.rn.bf16x2.f32 %r16, %f12, %f11; " +
		"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f20, %f21, %f22, %f23}, {%r13, %r14, %r15, %r16}, {%r14, %r15}, {%f10, %f11, %f12, %f10};", 4, 1e-5, false},
	{"cp.async", "mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd1, %rd4; add.s32 %r31, %r3, %r2; cp.async.ca.shared.global [%r31], [%rd5], 4; cp.async.wait_all; bar.sync 0; ld.shared.u32 %r20, [%r31];", 1, 0, true},
}

// ptx is the family's kernel: x (3, 32) words, y (outs, 32) words. Integer and float registers of one number hold the same bits.
func (f family) ptx() string {
	var in, out strings.Builder
	for i := range 3 {
		fmt.Fprintf(&in, "\tld.global.u32 %%r%d, [%%rd3+%d];\n\tmov.b32 %%f%d, %%r%d;\n", 10+i, 128*i, 10+i, 10+i)
	}
	for i := range f.outs {
		if strings.Contains(f.body, fmt.Sprintf("%%f%d", 20+i)) {
			fmt.Fprintf(&out, "\tmov.b32 %%r%d, %%f%d;\n", 20+i, 20+i)
		}
		fmt.Fprintf(&out, "\tst.global.u32 [%%rd7+%d], %%r%d;\n", 128*i, 20+i)
	}
	return `.version 7.2
.target sm_80
.address_size 64
.visible .entry family(.param .u64 x, .param .u64 y)
{
	.reg .pred %p<4>;
	.reg .f32 %f<32>;
	.reg .b32 %r<40>;
	.reg .b64 %rd<8>;
	.shared .align 16 .b8 s[512];
	ld.param.u64 %rd1, [x];
	ld.param.u64 %rd6, [y];
	mov.u32 %r1, %tid.x;
	mul.lo.s32 %r2, %r1, 4;
	cvt.u64.u32 %rd2, %r2;
	add.s64 %rd3, %rd1, %rd2;
	add.s64 %rd7, %rd6, %rd2;
	mov.u32 %r3, s;
` + in.String() + "\t" + f.body + "\n" + out.String() + "\tret;\n}\n"
}

// inputs are the same on every machine.
func (f family) inputs() []int32 {
	r := tensor.NewRNG(7, "instructions/"+f.name)
	x := make([]int32, 96)
	for i := range x {
		v := float32(r.Norm() * 4)
		if f.wide && i%3 == 1 {
			v = float32(r.Norm() * math.Pow(10, float64(r.Intn(30)-15)))
		}
		x[i] = int32(math.Float32bits(v))
	}
	return x
}

// run computes the family on a backend.
func (f family) run(b *Backend) ([]int32, error) {
	p, err := b.Compile(f.name, f.ptx())
	if err != nil {
		return nil, err
	}
	x, y := b.AllocUninit(tensor.I32, 96), b.AllocUninit(tensor.I32, 32*f.outs)
	defer b.Free(x)
	defer b.Free(y)
	b.UploadInts(x, f.inputs())
	if err := p.Launch("family", [3]int{1, 1, 1}, [3]int{32, 1, 1}, 0, []uint64{b.Address(x), b.Address(y)}); err != nil {
		return nil, err
	}
	out := make([]int32, 32*f.outs)
	return out, b.DownloadInts(out, y)
}

// compare holds two results of a family together.
func (f family) compare(t *testing.T, got, want []int32) {
	t.Helper()
	for i := range want {
		a, b := math.Float32frombits(uint32(got[i])), math.Float32frombits(uint32(want[i]))
		scale := math.Max(1e-30, math.Abs(float64(b)))
		if f.name == "mma.m16n8k16 bf16" {
			scale += 100 // sums of sixteen products of size 16
		}
		if got[i] != want[i] && !(f.tol > 0 && math.Abs(float64(a-b)) <= f.tol*scale) && !(a != a && b != b) {
			t.Errorf("word %d is %#x (%g); wanted %#x (%g)", i, uint32(got[i]), a, uint32(want[i]), b)
			return
		}
	}
}

// recording is what a card computed.
type recording struct {
	Card     string
	Families map[string][]int32
}

// TestFamilies: the simulator runs every family, and as the recorded card does where one has been recorded.
func TestFamilies(t *testing.T) {
	var r recording
	if b, err := os.ReadFile(recorded); err == nil {
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
	}
	sim, err := NewSim()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			got, err := f.run(sim)
			if err != nil {
				t.Fatal(err)
			}
			if want, ok := r.Families[f.name]; ok {
				f.compare(t, got, want)
			}
			if slices.Equal(got, make([]int32, len(got))) {
				t.Error("all results are 0")
			}
		})
	}
	if r.Card == "" {
		t.Log("no card has been recorded: the simulator is held to the PTX manual alone")
	}
}

// TestCardInstructions holds the card and the simulator together and records the card.
func TestCardInstructions(t *testing.T) {
	b := openFirst(t)
	sim, err := NewSim()
	if err != nil {
		t.Fatal(err)
	}
	r := recording{Card: b.Info(), Families: map[string][]int32{}}
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			got, err := f.run(b)
			if err != nil {
				t.Fatal(err)
			}
			r.Families[f.name] = got
			want, err := f.run(sim)
			if err != nil {
				t.Fatal(err)
			}
			f.compare(t, got, want)
		})
	}
	if *record == "" {
		return
	}
	out, err := json.MarshalIndent(r, "", " ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(*record), 0o777)
	}
	if err == nil {
		err = os.WriteFile(*record, append(out, '\n'), 0o666)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestCardConform is the whole suite on the card.
func TestCardConform(t *testing.T) { conform.Run(t, openFirst(t)) }

// TestCardBF16: tensor cores of a card, at the simulator's shapes and at some that it has no time for.
func TestCardBF16(t *testing.T) {
	b := openFirst(t)
	b.bf16, b.packAlways = true, true
	if err := bf16Products(b, append(bf16Shapes, [3]int{513, 1000, 640}, [3]int{256, 384, 4096})); err != nil {
		t.Error(err)
	}
	cases := append(flashCases(), flash90Cases()...)
	for _, d := range []int{33, 64, 100, 128} {
		cases = append(cases, flashCase{*oneSegment(1037), 4, 2, d}, flashCase{backend.Segments{List: oneSegment(900).List, Window: 300}, 2, 1, d})
	}
	if err := attentions(b, cases); err != nil {
		t.Error(err)
	}
}

// timed returns the seconds that a call takes, the best of five after one that warms up.
func timed(t testing.TB, b *Backend, call func()) float64 {
	best := math.Inf(1)
	for range 6 {
		start := time.Now()
		call()
		if err := b.Sync(); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start).Seconds())
	}
	return best
}

// BenchmarkCard says what the card reaches: bandwidth, products, attention. It asserts nothing.
func BenchmarkCard(bench *testing.B) {
	for _, bf16 := range []bool{false, true} {
		b := openFirst(bench)
		b.bf16 = bf16
		benchCard(bench, b)
	}
}

func benchCard(bench *testing.B, b *Backend) {
	bench.Logf("%s, bf16 %v", b.Info(), b.bf16)
	some := rounded(tensor.NewRNG(1, "bench"), 1<<22)
	buf := func(n int) backend.Buffer {
		// Random numbers: a card multiplies equal ones faster.
		x := b.AllocUninit(tensor.F32, n)
		for at := 0; at < n; at += len(some) {
			b.Upload(x.Slice(at, n), some[:min(len(some), n-at)])
		}
		return x
	}
	const n = 1 << 28
	x, y := buf(n), buf(n)
	bench.Logf("copy of 1 GiB: %.0f GB/s", 8*n/timed(bench, b, func() { b.Copy(y, x) })/1e9)
	for _, s := range []int{1024, 4096, 8192} {
		if s > 4096 && !b.bf16 {
			break
		}
		for name, op := range opsByName {
			d := timed(bench, b, func() { b.MatMul(y, x, x, s, s, s, op, 1, 0) })
			bench.Logf("product %s of %d: %.2f TFLOP/s", name, s, 2*float64(s)*float64(s)*float64(s)/d/1e12)
		}
	}
	const tokens, h, kh, d = 4096, 16, 8, 128
	segs := oneSegment(tokens)
	lse := buf(tokens * h)
	flops := 2 * 2 * float64(tokens) * float64(tokens) / 2 * h * d
	t := timed(bench, b, func() { b.AttentionForward(y, lse, x, x, x, segs, h, kh, d, 0.1) })
	bench.Logf("attention forward, %d tokens, %d heads of %d, causal: %.2f TFLOP/s", tokens, h, d, flops/t/1e12)
	dQ, dK, dV := buf(tokens*h*d), buf(tokens*kh*d), buf(tokens*kh*d)
	t = timed(bench, b, func() { b.AttentionBackward(dQ, dK, dV, x, x, x, x, x, lse, segs, h, kh, d, 0.1) })
	bench.Logf("attention backward, likewise: %.2f TFLOP/s", 2.5*flops/t/1e12)
}

var opsByName = map[string]backend.MatOp{"NT": backend.NT, "NN": backend.NN, "TN": backend.TN}
