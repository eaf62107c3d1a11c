package sim

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
)

// hopperKernel wraps a body for 128 threads or more: the thread in %r1, its warp in %r2, s is 16 KiB of shared memory whose tiles
// are at %r3 (64 rows for the left side) and %r4 (16 rows for the right side), barriers at %r5 and %r6; %rd1 points to 4,096
// words, %rd3 to the thread's; %p1 is true in the first thread. %rd10 and %rd11 describe the tiles.
func hopperKernel(t testing.TB, body string) *Kernel {
	t.Helper()
	m, err := Parse([]byte(`.version 8.0
.target sm_90a
.address_size 64
.visible .entry k(.param .u64 k_param_0)
{
	.reg .pred %p<8>;
	.reg .f32 %f<64>;
	.reg .b32 %r<64>;
	.reg .b64 %rd<16>;
	.shared .align 1024 .b8 s[16384];
	ld.param.u64 %rd1, [k_param_0];
	mov.u32 %r1, %tid.x;
	shr.u32 %r2, %r1, 5;
	mul.wide.u32 %rd2, %r1, 4;
	add.s64 %rd3, %rd1, %rd2;
	mov.u32 %r3, s;
	add.s32 %r4, %r3, 8192;
	add.s32 %r5, %r3, 12288;
	add.s32 %r6, %r3, 12296;
	setp.eq.u32 %p1, %r1, 0;
	mov.u64 %rd10, 4611686293305294848;
	mov.u64 %rd11, 4611686293305295360;
` + body + `
	ret;
}
`))
	if err != nil {
		t.Fatal(err)
	}
	return m.Kernels["k"]
}

// element is the bf16 number in row r and column c of the words that tests give to products.
func element(r, c int) float32 { return float32((r*7+c*3)%11 - 5) }

// launchHopper runs a body on words of which the first 2,048 hold 64 rows of 64 elements and the next 512 16 such rows, each as
// the 128-byte swizzle has them, and returns the words.
func launchHopper(t testing.TB, body string, threads int) ([]uint32, error) {
	t.Helper()
	d := NewDevice()
	p := d.Alloc(4*4096, "x")
	b := make([]byte, 4*4096)
	for r := range 80 {
		for c := range 64 {
			at := 128*r + (c/8^r%8)*16 + c%8*2 // row 64 is the first of the right side
			binary.LittleEndian.PutUint16(b[at:], uint16(math.Float32bits(element(r, c))>>16))
		}
	}
	if err := d.Write(p, b); err != nil {
		t.Fatal(err)
	}
	err := d.Launch(hopperKernel(t, body), [3]int{1, 1, 1}, [3]int{threads, 1, 1}, 0, []uint64{p})
	if e := d.Read(b, p); e != nil {
		t.Fatal(e)
	}
	x := make([]uint32, 4096)
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return x, err
}

// Parts of the bodies below.
const (
	begin   = "@%p1 mbarrier.init.shared::cta.b64 [%r5], 1;\n@%p1 mbarrier.init.shared::cta.b64 [%r6], 4;\n"
	begun   = "@%p1 fence.mbarrier_init.release.cluster;\nbar.sync 0;\n"
	expects = "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r5], 10240;\n"
	copies  = "@%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1], 10240, [%r5];\n"
	waits   = "mov.u32 %r9, 0;\nW: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r5], %r9; @!%p2 bra W;\n"
	brings  = begin + begun + expects + copies + waits
	fences  = "wgmma.fence.sync.aligned;\n"
	product = "setp.ne.b32 %p3, 0, 0; wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f1, %f2, %f3, %f4}, %rd10, %rd11, %p3, 1, 1, 0, 0;\n"
	commits = "wgmma.commit_group.sync.aligned;\n"
	ends    = "wgmma.wait_group.sync.aligned 0;\n"
	stores  = "mul.wide.u32 %rd4, %r1, 16; add.s64 %rd5, %rd1, %rd4; st.global.v4.f32 [%rd5+12288], {%f1, %f2, %f3, %f4};\n"
	whole   = brings + fences + product + commits + ends + stores
	tile    = "shl.b32 %r10, %r1, 2; add.s32 %r11, %r3, %r10; add.s32 %r12, %r4, %r10;\n"
	reads   = tile + "ld.shared.u32 %r13, [%r11];\n"
	writes  = tile + "mov.u32 %r14, 0; st.shared.u32 [%r12], %r14;\n"
)

// TestHopperFaults: what is wrong with asynchronous copies and products, and with barriers for some warps, is found, with its kind.
func TestHopperFaults(t *testing.T) {
	named := "setp.lt.u32 %p4, %r2, 2;\n@!%p4 bra O;\n" + tile + "st.shared.u32 [%r11], %r1; bar.sync 1, 64; xor.b32 %r15, %r10, 252; add.s32 %r16, %r3, %r15; ld.shared.u32 %r13, [%r16];\nO: ret;\n"
	for _, c := range []struct {
		name, body string
		kind       Kind // empty: right
		message    string
	}{
		{"right", whole, "", ""},
		{"no fence before the product", strings.Replace(whole, fences, "", 1), Unfenced, "no wgmma.fence"},
		{"a sum written after the fence", strings.Replace(whole, fences, fences+"mov.f32 %f1, 0f00000000;\n", 1), Unfenced, "a sum was written"},
		{"a sum not written", strings.Replace(whole, "0, 0; wgmma", "1, 0; wgmma", 1), Uninitialised, "a sum"},
		{"no wait", strings.Replace(whole, ends, "", 1), Product, "reads a register to which a product in flight adds"},
		{"no commit", strings.Replace(whole, commits, "", 1), Product, "reads a register"},
		{"a copy of sums in flight", strings.Replace(whole, ends, "mov.f32 %f9, %f1;\n"+ends, 1), "", ""},
		{"an operand overwritten", strings.Replace(whole, commits, commits+writes, 1), Product, "which a product in flight reads"},
		{"an operand overwritten later", strings.Replace(whole, ends, ends+"bar.sync 0;\n"+writes, 1), "", ""},
		{"an operand overwritten with no barrier", strings.Replace(whole, ends, ends+writes, 1), Race, ""},
		{"an operand written", brings + writes + "bar.sync 0;\n" + fences + product + commits + ends, Unfenced, "no fence.proxy.async"},
		{"an operand written and fenced", brings + writes + "fence.proxy.async.shared::cta;\nbar.sync 0;\n" + fences + product + commits + ends, "", ""},
		{"an operand fenced, then written", brings + "fence.proxy.async.shared::cta;\n" + writes + "bar.sync 0;\n" + fences + product + commits + ends, Unfenced, "no fence.proxy.async"},
		{"an operand written with no barrier", brings + writes + "fence.proxy.async.shared::cta;\n" + fences + product + commits + ends, Race, ""},
		{"operands not there", begin + begun + expects + fences + product + commits + ends, Uninitialised, ""},
		{"three of four warps", strings.Replace(whole, fences+product+commits+ends, "setp.eq.u32 %p4, %r2, 3;\n@%p4 ret;\n"+fences+product+commits+ends, 1), Divergence, "warp 3 ran 0 of the 4"},
		{"another order", strings.Replace(whole, commits, "setp.eq.u32 %p4, %r2, 3;\n@%p4 bra P;\n"+commits+"P:\n", 1), Divergence, "another warp of the warpgroup"},
		{"half a warp", strings.Replace(whole, fences, "and.b32 %r20, %r1, 31; setp.gt.u32 %p4, %r20, 15;\n@%p4 ret;\n"+fences, 1), Divergence, "lanes"},
		{"no swizzle", strings.Replace(whole, fences, "mov.u64 %rd10, 274877906944;\n"+fences, 1), Bounds, "128-byte swizzle"},
		{"a tile that begins between", strings.Replace(whole, fences, "add.s64 %rd10, %rd10, 8;\n"+fences, 1), Misaligned, "descriptor"},
		{"a tile behind the end", strings.Replace(whole, fences, "add.s64 %rd11, %rd11, 1024;\n"+fences, 1), Bounds, "a product reads"},

		{"a copy not waited for", begin + begun + expects + copies + reads + waits, Pending, "being copied to"},
		{"a copy nobody announced", strings.Replace(brings, expects, "@%p1 mbarrier.arrive.shared::cta.b64 _, [%r5];\n", 1) + reads, Pending, "being copied to"},
		{"a copy of more than was announced", strings.Replace(brings, "10240;\n@%p1 cp", "10224;\n@%p1 cp", 1), Deadlock, "lacks 0 of 1 arrivals and -16 bytes"},
		{"a copy of less", strings.Replace(brings, "10240, [", "10224, [", 1), Deadlock, "and 16 bytes"},
		{"a copy with no barrier", copies, Uninitialised, "no mbarrier"},
		{"a barrier that nothing fences", begin + expects + copies, Unfenced, "no fence since mbarrier.init"},
		{"a barrier used with no barrier", begin + "mbarrier.arrive.shared::cta.b64 _, [%r6];\n", Race, "uses the mbarrier"},
		{"a barrier made twice", begin + begun + begin, Race, "is an mbarrier already"},
		{"a barrier read", begin + begun + "ld.shared.u32 %r13, [%r5];\n", Bounds, "an mbarrier's"},
		{"an odd copy", strings.Replace(brings, "10240, [", "10244, [", 1), Misaligned, "multiples of 16"},
		{"a copy from behind the end", strings.Replace(brings, "[%rd1], 10240", "[%rd1+8192], 10240", 1), Bounds, "of x, which has 16384"},
		{"the second copy too early", brings + reads + expects + copies + "mov.u32 %r9, 1;\nV: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r5], %r9; @!%p2 bra V;\n", Race, "with no barrier between"},
		{"the second copy in time", brings + reads + "bar.sync 0;\n" + expects + copies + "mov.u32 %r9, 1;\nV: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r5], %r9; @!%p2 bra V;\n" + reads, "", ""},
		{"the second copy, the first one's phase", brings + reads + "bar.sync 0;\n" + expects + copies + "mov.u32 %r9, 0;\nV: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r5], %r9; @!%p2 bra V;\n" + reads, Pending, "being copied to"},
		{"a copy that outlives the block", begin + begun + expects + copies, Pending, "the block ends"},
		{"a phase that does not end", begin + begun + "setp.lt.u32 %p4, %r1, 3;\n@%p4 mbarrier.arrive.shared::cta.b64 _, [%r6];\n" + strings.Replace(waits, "%r5", "%r6", 1), Deadlock, "lacks 1 of 4 arrivals"},
		{"too many arrivals", begin + begun + "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r5], 16;\n@%p1 mbarrier.arrive.shared::cta.b64 _, [%r5];\n", Divergence, "all 1 of this phase have arrived"},

		{"a barrier for some", named, "", ""},
		{"none for some", strings.Replace(named, "bar.sync 1, 64;", "", 1), Uninitialised, "no barrier puts before"},
		{"for too many", strings.Replace(named, "64;", "96;", 1), Deadlock, "where 64 of 96 threads are"},
		{"for some and others", "setp.eq.u32 %p4, %r2, 0;\n@!%p4 bra O;\nbar.sync 1, 64;\nO: bar.arrive 1, 96;\n", Divergence, "others arrived there for 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := launchHopper(t, c.body, 128)
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

// TestProducts: rows and columns are those of the manual, the right side as rows of 16 elements and as 16 rows, the left side in shared
// memory and in registers, at the start of a tile and further on.
func TestProducts(t *testing.T) {
	turned := strings.Replace(product, "0, 0;\n", "0, 1;\n", 1)
	registers := "" // rows 16·warp + lane/4 and the one 8 below, columns 2·(lane%4) and 8 further
	for i, add := range []string{"0", "8", "0", "8"} {
		column := []string{"0", "0", "16", "16"}[i]
		registers += "and.b32 %r20, %r1, 31; shr.u32 %r21, %r20, 2; add.s32 %r21, %r21, " + add + "; shl.b32 %r22, %r2, 4; add.s32 %r21, %r21, %r22; shl.b32 %r22, %r21, 7;\n" +
			"and.b32 %r23, %r1, 3; shl.b32 %r23, %r23, 2; add.s32 %r23, %r23, " + column + "; and.b32 %r24, %r21, 7; shl.b32 %r24, %r24, 4; xor.b32 %r23, %r23, %r24;\n" +
			"add.s32 %r22, %r22, %r23; add.s32 %r22, %r22, %r3; ld.shared.u32 %r" + []string{"30", "31", "32", "33"}[i] + ", [%r22];\n"
	}
	left := strings.Replace(product, "%rd10, %rd11, %p3, 1, 1, 0, 0", "{%r30, %r31, %r32, %r33}, %rd11, %p3, 1, 1, 0", 1)
	for _, c := range []struct {
		name, body string
		from       int // the first column, or the right side's
		turned     bool
	}{
		{"rows", brings + fences + product, 0, false},
		{"rows, further on", brings + "add.s64 %rd10, %rd10, 4; add.s64 %rd11, %rd11, 4;\n" + fences + product, 32, false},
		{"turned", brings + fences + turned, 0, true},
		{"registers", brings + registers + fences + left, 0, false},
	} {
		x, err := launchHopper(t, c.body+commits+ends+"bar.sync 0;\n"+stores, 128)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for thread := range 128 {
			for e := range 4 {
				row, column := thread/32*16+thread%32/4+e/2*8, thread%4*2+e%2
				want := float32(0)
				for k := range 16 {
					if c.turned {
						want += element(row, k) * element(64+k, column)
					} else {
						want += element(row, c.from+k) * element(64+column, c.from+k)
					}
				}
				if got := math.Float32frombits(x[3072+4*thread+e]); got != want {
					t.Fatalf("%s: row %d, column %d is %v; wanted %v", c.name, row, column, got, want)
				}
			}
		}
	}
}
