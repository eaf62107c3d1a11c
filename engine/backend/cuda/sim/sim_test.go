package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// kernel wraps a body of PTX that works on a pointer %rd1 to 64 words, with the thread in %r1, the block in %r2 and the
// thread's byte offset in %rd2, its address in %rd3; s is 256 bytes of shared memory.
func kernel(t testing.TB, body string) *Kernel {
	t.Helper()
	src := `.version 7.2
.target sm_80
.address_size 64
.visible .entry k(.param .u64 k_param_0)
{
	.reg .pred %p<8>;
	.reg .b16 %rs<8>;
	.reg .f32 %f<64>;
	.reg .b32 %r<64>;
	.reg .b64 %rd<16>;
	.reg .f64 %fd<8>;
	.shared .align 16 .b8 s[256];
	ld.param.u64 %rd1, [k_param_0];
	mov.u32 %r1, %tid.x;
	mov.u32 %r2, %ctaid.x;
	mul.wide.u32 %rd2, %r1, 4;
	add.s64 %rd3, %rd1, %rd2;
	mov.u32 %r3, s;
	cvt.u32.u64 %r4, %rd2;
	add.s32 %r5, %r3, %r4;
	.loc 1 7 0
` + body + `
	ret;
}
	.file 1 "k.cu"
	.file 2 "k.cuh"
`
	m, err := Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return m.Kernels["k"]
}

// launch runs a kernel on 64 words 0, 1, 2, … and returns them afterwards.
func launch(t testing.TB, k *Kernel, blocks, threads int) ([]uint32, error) {
	t.Helper()
	d := NewDevice()
	p := d.Alloc(256, "x")
	b := make([]byte, 256)
	for i := range 64 {
		binary.LittleEndian.PutUint32(b[4*i:], uint32(i))
	}
	if err := d.Write(p, b); err != nil {
		t.Fatal(err)
	}
	err := d.Launch(k, [3]int{blocks, 1, 1}, [3]int{threads, 1, 1}, 0, []uint64{p})
	if e := d.Read(b, p); e != nil {
		t.Fatal(e)
	}
	x := make([]uint32, 64)
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return x, err
}

// TestFaults: every mistake that the package doc names is found, with its kind and in words that say where; the same without the
// mistake is not.
func TestFaults(t *testing.T) {
	store, load := "st.shared.u32 [%r5], %r1;\n", "xor.b32 %r6, %r4, 252;\n add.s32 %r7, %r3, %r6;\n ld.shared.u32 %r8, [%r7];\n"
	second := "setp.lt.u32 %p7, %r1, 32; @%p7 ret;\n" // the first warp has run when the second begins
	for _, c := range []struct {
		name, body      string
		blocks, threads int
		kind            Kind // empty: right
		message         string
	}{
		{"behind a buffer", "ld.global.u32 %r8, [%rd3+4];", 1, 64, Bounds, "block (0,0,0) thread (63,0,0): out of bounds: 4 bytes at byte 256 of x, which has 256 at k.cu:7, PTX line"},
		{"in a buffer", "ld.global.u32 %r8, [%rd3];", 1, 64, "", ""},
		{"before a buffer", "st.global.u32 [%rd3+-4], %r1;", 1, 1, Bounds, "4 bytes 4 bytes before x"},
		{"nowhere", "mov.u64 %rd4, 16; ld.global.u32 %r8, [%rd4];", 1, 1, Bounds, "in no allocation"},
		{"misaligned", "ld.global.v2.u32 {%r8, %r9}, [%rd3];", 1, 2, Misaligned, "thread (1,0,0)"},
		{"shared, outside", "st.shared.u32 [%r5+256], %r1;", 1, 1, Bounds, "between two variables"},
		{"shared, far outside", "st.shared.u32 [%r5+4096], %r1;", 1, 1, Bounds, "shared memory"},
		{"shared, not written", "ld.shared.u32 %r8, [%r5];", 1, 1, Uninitialised, "byte 0 of shared memory"},
		{"a register, not written", "add.s32 %r8, %r9, 1;", 1, 1, Uninitialised, "a register"},
		{"a register, written by some", "setp.lt.u32 %p1, %r1, 3; @%p1 mov.u32 %r9, 1; add.s32 %r8, %r9, 1;", 1, 4, Uninitialised, "thread (3,0,0)"},
		{"a predicate, not written", "@%p3 add.s32 %r8, %r1, 1;", 1, 1, Uninitialised, "predicate"},
		{"a copy of nothing", "mov.u32 %r8, %r9;", 1, 1, "", ""},

		{"no barrier", store + second + load, 1, 64, Race, "thread (32,0,0): race: reads byte 124 of shared memory, which thread (31,0,0) wrote with no barrier between"},
		{"no barrier, the other way", store + load, 1, 64, Uninitialised, ""}, // the writer comes later

		{"barrier", store + "bar.sync 0;\n" + load, 1, 64, "", ""},
		{"no barrier before a write", store + "bar.sync 0;\n" + load + store, 1, 64, Race, "with no barrier between"},
		{"no barrier before another's write", store + "bar.sync 0;\n setp.ge.u32 %p6, %r1, 32; @%p6 st.shared.u32 [%r3], %r1; @!%p6 ld.shared.u32 %r8, [%r3];", 1, 33, Race, "which thread (31,0,0) read with no barrier between"},
		{"barrier before a write", store + "bar.sync 0;\n" + load + "bar.sync 0;\n" + store, 1, 64, "", ""},
		{"no barrier in a warp", store + load, 1, 32, Uninitialised, ""}, // xor 252 leads out of the warp, to what nobody writes
		{"a warp's barrier", "xor.b32 %r6, %r4, 124;\n add.s32 %r7, %r3, %r6;\n" + store + "bar.warp.sync -1;\n ld.shared.u32 %r8, [%r7];", 1, 32, "", ""},
		{"no warp's barrier", "xor.b32 %r6, %r4, 124;\n add.s32 %r7, %r3, %r6;\n" + store + "ld.shared.u32 %r8, [%r7];", 1, 32, Race, "with no barrier between"},
		{"two writers", "st.shared.u32 [%r3], %r1;", 1, 2, Race, "writes byte 0 of shared memory"},
		{"two blocks write", "st.global.u32 [%rd3], %r1;", 2, 1, Race, "which another block wrote in this launch"},
		{"two blocks, one reads", "setp.eq.u32 %p1, %r2, 0; @%p1 ld.global.u32 %r8, [%rd3]; @!%p1 st.global.u32 [%rd3], %r2;", 2, 1, Race, "which another block read in this launch"},
		{"three blocks, one writes", "setp.lt.u32 %p1, %r2, 2; @%p1 ld.global.u32 %r8, [%rd3]; @!%p1 st.global.u32 [%rd3], %r2;", 3, 1, Race, "which other blocks read"},
		{"two blocks read", "ld.global.u32 %r8, [%rd3];", 2, 8, "", ""},
		{"atomics of two blocks", "atom.global.add.u32 %r8, [%rd1], 1;", 2, 8, "", ""},
		{"an atomic and a write", "setp.eq.u32 %p1, %r2, 0; @%p1 atom.global.add.u32 %r8, [%rd1], 1; @!%p1 st.global.u32 [%rd1], %r2;", 2, 1, Race, "another block"},
		{"halves of a word by two blocks", "mul.wide.u32 %rd4, %r2, 2; add.s64 %rd5, %rd1, %rd4; mov.u16 %rs1, 7; st.global.u16 [%rd5], %rs1;", 2, 1, "", ""},
		{"one half by two blocks", "mov.u16 %rs1, 7; st.global.u16 [%rd1], %rs1;", 2, 1, Race, "another block"},

		{"a barrier for some", "setp.lt.u32 %p1, %r1, 16; @%p1 bra A; bar.sync 0;\n A: bar.sync 0;", 1, 32, Divergence, "wait here and lanes"},
		{"two barriers", "setp.lt.u32 %p1, %r1, 32; @%p1 bra A; bar.sync 0; ret;\n A: bar.sync 0;", 1, 64, Divergence, "waits at this barrier and warp 0 at another"},
		{"a shuffle without all", "setp.lt.u32 %p1, %r1, 16; @%p1 bra A; ret;\n A: shfl.sync.bfly.b32 %r8, %r1, 16, 31, -1;", 1, 32, Divergence, "reads lane 16, which does not take part"},
		{"a shuffle in two branches", "setp.lt.u32 %p1, %r1, 16; @%p1 bra A; shfl.sync.bfly.b32 %r8, %r1, 1, 31, -1; ret;\n A: shfl.sync.bfly.b32 %r8, %r1, 1, 31, -1;", 1, 32, Divergence, "wait here"},
		{"a shuffle of half a warp", "setp.lt.u32 %p1, %r1, 16; @!%p1 bra A; shfl.sync.bfly.b32 %r8, %r1, 1, 31, 65535;\n A: bar.sync 0;", 1, 32, "", ""},

		{"a copy not waited for", "cp.async.ca.shared.global [%r5], [%rd3], 4; ld.shared.u32 %r8, [%r5];", 1, 1, Pending, "nobody waited"},
		{"a copy waited for", "cp.async.ca.shared.global [%r5], [%rd3], 4; cp.async.commit_group; cp.async.wait_group 0; ld.shared.u32 %r8, [%r5];", 1, 1, "", ""},
		{"the last copy not waited for", "cp.async.ca.shared.global [%r5], [%rd3], 4; cp.async.commit_group; cp.async.wait_group 1; ld.shared.u32 %r8, [%r5];", 1, 1, Pending, ""},
		{"a copy without barrier", "cp.async.ca.shared.global [%r5], [%rd3], 4; cp.async.wait_all;\n" + second + load, 1, 64, Race, ""},
		{"a copy with barrier", "cp.async.ca.shared.global [%r5], [%rd3], 4; cp.async.wait_all; bar.sync 0;\n" + load, 1, 64, "", ""},

		{"a division by zero", "div.u32 %r8, 1, %r1;", 1, 1, Arithmetic, "zero"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := launch(t, kernel(t, c.body), c.blocks, c.threads)
			var f *Fault
			switch {
			case c.kind == "" && err != nil:
				t.Errorf("%v; wanted no fault", err)
			case c.kind == "":
			case !errors.As(err, &f) || f.Kind != c.kind || !strings.Contains(err.Error(), c.message):
				t.Errorf("%v; wanted %s: %s", err, c.kind, c.message)
			}
		})
	}
}

// TestInlined: a fault in an inlined function names both lines.
func TestInlined(t *testing.T) {
	_, err := launch(t, kernel(t, "\n.loc 2 3 1, function_name $L1, inlined_at 1 9 5\n\tld.shared.u32 %r8, [%r5];"), 1, 1)
	if err == nil || !strings.Contains(err.Error(), "at k.cuh:3 in k.cu:9, PTX line") {
		t.Errorf("%v; wanted both places", err)
	}
}

// TestUnknown: what the simulator does not know is refused when it is read, with its line.
func TestUnknown(t *testing.T) {
	head := ".version 7.2\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\n.reg .b32 %r<9>;\n.reg .f32 %f<9>;\n"
	for body, want := range map[string]string{
		"frob.u32 %r1, %r2;":                        "PTX line 8: frob.u32: the instruction is not known",
		"add.sat.s32 %r1, %r2, %r3;":                "type .sat is not known",
		"add.rz.f32 %f1, %f2, %f3;":                 "type .rz is not known",
		"mov.u32 %r1, %clock;":                      "register %clock is not known",
		"mov.u32 %r1, nothing;":                     "nothing is no 32-bit source",
		"bra nowhere;":                              "no label nowhere",
		"st.shared.u32 %r1, %r2;":                   "%r1 is no address",
		"add.s32 %r1, %r2;":                         "2 operands; wanted 3",
		"bar.sync 1;":                               "barrier 1",
		"add.s32 %r1, %r2, %r3":                     "after an operand",
		".tex .u64 t;":                              `".tex" is not known`,
		"mma.sync.aligned.m8n8k4.row.col.f32.f16 ;": "only mma.sync",
	} {
		_, err := Parse([]byte(head + body + "\n}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; wanted %q", body, err, want)
		}
	}
	for _, src := range []string{"", "/*", "\"", ".entry", ".visible .entry k(", ".visible .entry k() {", ".global .u32 x = y;"} {
		if _, err := Parse([]byte(src)); err == nil {
			t.Errorf("%q was read", src)
		}
	}
}

// TestArguments: a launch that cannot be is refused before anything runs.
func TestArguments(t *testing.T) {
	k := kernel(t, "")
	d := NewDevice()
	for _, c := range []struct {
		grid, block [3]int
		shared      int
		args        []uint64
		want        string
	}{
		{[3]int{1, 1, 1}, [3]int{1, 1, 1}, 0, nil, "0 arguments; wanted 1"},
		{[3]int{0, 1, 1}, [3]int{1, 1, 1}, 0, []uint64{0}, "wanted at least 1"},
		{[3]int{1, 1, 70000}, [3]int{1, 1, 1}, 0, []uint64{0}, "at most"},
		{[3]int{1, 1, 1}, [3]int{1025, 1, 1}, 0, []uint64{0}, "at most 1024"},
		{[3]int{1, 1, 1}, [3]int{1, 1, 1}, 1 << 20, []uint64{0}, "shared memory"},
	} {
		if err := d.Launch(k, c.grid, c.block, c.shared, c.args); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; wanted %q", err, c.want)
		}
	}
	if d.Free(7) == nil || d.Write(7, []byte{1}) == nil || d.Read([]byte{1}, 7) == nil || d.Zero(7, 1) == nil {
		t.Error("memory that is none was used")
	}
	p := d.Alloc(4, "x")
	if err := d.Free(p); err != nil {
		t.Error(err)
	}
	if d.Free(p) == nil {
		t.Error("freed twice")
	}
}

func f(x float64) string { return fmt.Sprintf("0f%08x", bits32(float32(x))) }

// TestValues: what instructions compute, in lane 5 of 8; %r10 goes to x[5].
func TestValues(t *testing.T) {
	inf, nan := f(math.Inf(1)), f(math.NaN())
	for body, want := range map[string]uint32{
		"add.s32 %r10, %r1, -7;":                 0xfffffffe,
		"mul.hi.u32 %r10, -1, %r1;":              4,
		"mul.hi.s32 %r10, -1, %r1;":              0xffffffff,
		"mad.lo.s32 %r10, %r1, %r1, 1;":          26,
		"shr.s32 %r10, -64, 3;":                  0xfffffff8,
		"shr.u32 %r10, -64, 40;":                 0,
		"shr.s32 %r10, -64, 40;":                 0xffffffff,
		"shl.b32 %r10, %r1, 32;":                 0,
		"div.s32 %r10, -7, 2;":                   0xfffffffd,
		"rem.s32 %r10, -7, 2;":                   0xffffffff,
		"min.s32 %r10, -1, %r1;":                 0xffffffff,
		"min.u32 %r10, -1, %r1;":                 5,
		"not.b32 %r10, %r1;":                     0xfffffffa,
		"popc.b32 %r10, 255;":                    8,
		"clz.b32 %r10, 255;":                     24,
		"brev.b32 %r10, 1;":                      1 << 31,
		"bfe.u32 %r10, 0x1234, 4, 8;":            0x23,
		"bfi.b32 %r10, 0xabc, 0x12345678, 8, 8;": 0x1234bc78,
		"bfi.b64 %rd4, 0xabc, 0x12345678, 28, 8; shr.u64 %rd4, %rd4, 24; cvt.u32.u64 %r10, %rd4;":                 0xbc2, // 0xbc in place of bits 28 to 35
		"mov.b64 %rd4, {%r1, 9}; bfi.b64 %rd4, %rd4, 7, 32, 255; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r10, %rd4;": 5,
		"bfe.s32 %r10, 0xf80, 4, 8;":                                                                                             0xfffffff8,
		"prmt.b32 %r10, 0x33221100, 0x77665544, 0x7610;":                                                                         0x77661100,
		"shf.l.wrap.b32 %r10, 0x80000000, 1, 1;":                                                                                 3,
		"shf.r.wrap.b32 %r10, 2, 1, 1;":                                                                                          0x80000001,
		"lop3.b32 %r10, 12, 10, 1, 0x96;":                                                                                        7,
		"setp.lt.s32 %p1, -1, %r1; selp.b32 %r10, 1, 2, %p1;":                                                                    1,
		"setp.lt.u32 %p1, -1, %r1; selp.b32 %r10, 1, 2, %p1;":                                                                    2,
		"setp.eq.s32 %p1, 1, 1; setp.gt.and.s32 %p2|%p3, %r1, 9, %p1; selp.b32 %r10, 1, 2, %p3;":                                 1,
		"mov.f32 %f1, " + nan + "; setp.neu.f32 %p1, %f1, %f1; selp.b32 %r10, 1, 2, %p1;":                                        1,
		"mov.f32 %f1, " + nan + "; setp.ne.f32 %p1, %f1, %f1; selp.b32 %r10, 1, 2, %p1;":                                         2,
		"max.f32 %r10, " + nan + ", " + f(2) + ";":                                                                               bits32(2),
		"min.f32 %r10, " + f(0) + ", " + f(math.Copysign(0, -1)) + ";":                                                           1 << 31,
		"sub.f32 %r10, " + f(1) + ", " + f(3) + ";":                                                                              bits32(-2),
		"fma.rn.f32 %r10, " + f(3) + ", " + f(4) + ", " + f(5) + ";":                                                             bits32(17),
		"div.rn.f32 %r10, " + f(1) + ", " + f(3) + ";":                                                                           bits32(1. / 3),
		"sqrt.rn.f32 %r10, " + f(2) + ";":                                                                                        bits32(float32(math.Sqrt2)),
		"ex2.approx.ftz.f32 %r10, " + f(0) + ";":                                                                                 bits32(1),
		"ex2.approx.ftz.f32 %r10, " + f(math.Inf(-1)) + ";":                                                                      0,
		"ex2.approx.ftz.f32 %r10, " + f(-140) + ";":                                                                              0, // below the normal numbers
		"rsqrt.approx.f32 %r10, " + f(0) + ";":                                                                                   bits32(float32(math.Inf(1))),
		"cvt.rn.f32.s32 %r10, -3;":                                                                                               bits32(-3),
		"cvt.rn.f32.u32 %r10, -1;":                                                                                               bits32(1 << 32),
		"cvt.rzi.s32.f32 %r10, " + f(-2.7) + ";":                                                                                 0xfffffffe,
		"cvt.rni.s32.f32 %r10, " + f(2.5) + ";":                                                                                  2,
		"cvt.rzi.s32.f32 %r10, " + inf + ";":                                                                                     math.MaxInt32,
		"cvt.rzi.u32.f32 %r10, " + f(-1) + ";":                                                                                   0,
		"cvt.rzi.s32.f32 %r10, " + nan + ";":                                                                                     0,
		"cvt.rn.bf16x2.f32 %r10, " + f(1) + ", " + f(-2) + ";":                                                                   0x3f80c000,
		"cvt.rn.bf16x2.f32 %r10, 0f3f808000, 0f3f818000;":                                                                        0x3f803f82, // ties to even
		"cvt.u16.u32 %rs1, 0x12345; cvt.u32.u16 %r10, %rs1;":                                                                     0x2345,
		"mov.b32 {%rs1, %rs2}, 0x12345678; mov.b32 %r10, {%rs2, %rs1};":                                                          0x56781234,
		"mov.b64 %rd4, {%r1, 9}; shr.u64 %rd4, %rd4, 32; cvt.u32.u64 %r10, %rd4;":                                                9,
		"shfl.sync.idx.b32 %r10, %r1, 2, 31, 255;":                                                                               2,
		"shfl.sync.bfly.b32 %r10, %r1, 1, 31, 255;":                                                                              4,
		"shfl.sync.up.b32 %r10, %r1, 6, 0, 255;":                                                                                 5, // out of range: its own
		"shfl.sync.down.b32 %r10, %r1, 2, 6151, 255;":                                                                            7,
		"setp.gt.u32 %p1, %r1, 3; vote.sync.ballot.b32 %r10, %p1, 255;":                                                          0xf0,
		"setp.gt.u32 %p1, %r1, 3; vote.sync.any.pred %p2, %p1, 255; selp.b32 %r10, 1, 0, %p2;":                                   1,
		"setp.gt.u32 %p1, %r1, 3; bar.red.or.pred %p2, 0, %p1; selp.b32 %r10, 1, 0, %p2;":                                        1,
		"setp.gt.u32 %p1, %r1, 3; bar.red.and.pred %p2, 0, %p1; selp.b32 %r10, 1, 0, %p2;":                                       0,
		"setp.gt.u32 %p1, %r1, 3; bar.red.popc.u32 %r10, 0, %p1;":                                                                4,
		"{ .reg .b32 t; mov.u32 t, 3; add.s32 %r10, t, 1; }":                                                                     4,
		"mov.u32 %r10, 0;\n L: add.s32 %r10, %r10, 2; setp.le.u32 %p1, %r10, %r1; @%p1 bra L;":                                   6,
		"cvta.shared.u64 %rd4, 0; cvt.u64.u32 %rd5, %r5; add.s64 %rd4, %rd4, %rd5; st.u32 [%rd4], 3; ld.shared.u32 %r10, [%r5];": 3,
		"st.shared.u8 [%r5], 255; ld.shared.s8 %r10, [%r5];":                                                                     0xffffffff,
		"st.shared.u16 [%r5], -2; ld.shared.u16 %r10, [%r5];":                                                                    0xfffe,
		"st.shared.u64 [%r3], %rd1; ld.shared.u64 %rd4, [%r3]; setp.eq.s64 %p1, %rd1, %rd4; selp.b32 %r10, 1, 0, %p1;":           99, // eight threads write it
		"cvt.rn.f64.s32 %fd1, %r1; mul.f64 %fd1, %fd1, 0d3fe0000000000000; cvt.rn.f32.f64 %r10, %fd1;":                           bits32(2.5),
	} {
		x, err := launch(t, kernel(t, body+"\n st.global.u32 [%rd3], %r10;"), 1, 8)
		var fault *Fault
		if want == 99 {
			if !errors.As(err, &fault) || fault.Kind != Race {
				t.Errorf("%s: %v; wanted a race", body, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", body, err)
		} else if x[5] != want {
			t.Errorf("%s: %#x; wanted %#x", body, x[5], want)
		}
	}
}

// TestAtomics: every thread takes part once, in both widths and in every block.
func TestAtomics(t *testing.T) {
	x, err := launch(t, kernel(t, "atom.global.add.u32 %r8, [%rd1], 2; red.global.max.s32 [%rd1+4], %r1; atom.global.add.u64 %rd4, [%rd1+8], 1; atom.global.cas.b32 %r9, [%rd1+16], 4, 77; atom.global.exch.b32 %r9, [%rd1+20], %r1;"), 3, 40)
	if err != nil {
		t.Fatal(err)
	}
	if x[0] != 240 || x[1] != 39 || x[2] != 122 || x[3] != 3 || x[4] != 77 || x[5] != 39 {
		t.Errorf("%d; wanted 240 39 122 3 77 39", x[:6])
	}
}

// FuzzParse: no text makes the parser panic or hang.
func FuzzParse(f *testing.F) {
	f.Add(".version 7.2\n.visible .entry k(.param .u64 p)\n{\n.reg .b32 %r<9>;\n.shared .align 4 .b8 s[4];\n@%p1 bra L;\nL: ld.shared.v4.u32 {%r1, %r2, %r3, %r4}, [s+-4];\n.loc 1 2 3\n}\n")
	f.Add(".extern .shared .b8 s[];\n.global .align 4 .u32 x[2] = {1, 2};\n.entry k { mov.u32 %r1, 0f3f800000; cvt.rn.f32.s32 %f1, %r1; setp.lt.and.s32 %p1|%p2, %r1, -3, !%p3; }")
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) < 10000 {
			_, _ = Parse([]byte(src))
		}
	})
}
