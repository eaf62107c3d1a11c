package cuda

import (
	"encoding/binary"
	"math"
	"testing"
	"unsafe"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// fakeBlas does what cuBLASLt is documented to do, in Go, on the memory of a simulated card.
type fakeBlas struct {
	f           *fake
	descs       []map[int32]int32
	layouts     []fakeLayout
	preferences int
	asked, done int
	none        bool // it has no algorithm
	status      int32
}

type fakeLayout struct {
	kind       int32
	rows, cols uint64
	ld         int64
}

// read returns the matrix's element at (row, column), counted by columns.
func (f *fakeBlas) read(addr uint64, l fakeLayout) func(row, col int) float64 {
	size := map[int32]int{blasFloat32: 4, blasBF16: 2}[l.kind]
	n := int(l.cols-1)*int(l.ld) + int(l.rows)
	b := make([]byte, n*size)
	if err := f.f.d.Read(b, addr); err != nil {
		f.f.fault = err
	}
	return func(row, col int) float64 {
		i := col*int(l.ld) + row
		if size == 2 {
			return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16))
		}
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
	}
}

func (f *fakeBlas) table() *blasTable {
	word := &f.status
	return &blasTable{
		Create:       func(h *uintptr) int32 { *h = 1; return 0 },
		GetVersion:   func() uint64 { return 130000 },
		StatusString: func(int32) string { return "a status" },
		DescCreate: func(d *uintptr, compute, scale int32) int32 {
			if compute != 68 || scale != 0 {
				return 7
			}
			f.descs = append(f.descs, map[int32]int32{})
			*d = uintptr(len(f.descs))
			return 0
		},
		DescSet: func(d uintptr, attribute int32, v unsafe.Pointer, n uint64) int32 {
			if n != 4 {
				return 7
			}
			f.descs[d-1][attribute] = *(*int32)(v)
			return 0
		},
		LayoutCreate: func(l *uintptr, kind int32, rows, cols uint64, ld int64) int32 {
			if uint64(ld) < rows {
				return 7
			}
			f.layouts = append(f.layouts, fakeLayout{kind, rows, cols, ld})
			*l = uintptr(len(f.layouts))
			return 0
		},
		PreferenceCreate:  func(p *uintptr) int32 { f.preferences++; return 0 },
		PreferenceSet:     func(p uintptr, attribute int32, v unsafe.Pointer, n uint64) int32 { return 0 },
		PreferenceDestroy: func(uintptr) int32 { f.preferences--; return 0 },
		DescDestroy:       func(uintptr) int32 { return 0 },
		LayoutDestroy:     func(uintptr) int32 { return 0 },
		AlgorithmHeuristics: func(h, desc, a, b, c, d, pref uintptr, wanted int32, r *blasAlgorithm, found *int32) int32 {
			f.asked++
			if f.none {
				return 15
			}
			*found = 1
			return 0
		},
		Multiply: func(h, desc uintptr, alpha *float32, a uint64, al uintptr, b uint64, bl uintptr, beta *float32, c uint64, cl uintptr,
			d uint64, dl uintptr, alg *blasAlgorithm, workspace uint64, bytes uint64, stream uintptr) int32 {
			factor, keep := *alpha, *beta // read when the product is asked for
			return f.f.do(func() int32 {
				f.done++
				if *word != 0 {
					return *word
				}
				la, lb, lc := f.layouts[al-1], f.layouts[bl-1], f.layouts[cl-1]
				turnA, turnB := f.descs[desc-1][3] == 1, f.descs[desc-1][4] == 1
				x, y := f.read(a, la), f.read(b, lb)
				k, ka := la.cols, la.rows
				if turnA {
					k, ka = la.rows, la.cols
				}
				kb, n := lb.rows, lb.cols
				if turnB {
					kb, n = lb.cols, lb.rows
				}
				if k != kb || ka != lc.rows || n != lc.cols || lc.kind != blasFloat32 || c != d {
					return 7
				}
				var old func(row, col int) float64
				if keep != 0 {
					old = f.read(c, lc)
				}
				out := make([]byte, 4*lc.rows*lc.cols)
				for col := range int(lc.cols) {
					for row := range int(lc.rows) {
						sum := 0.0
						for p := range int(k) {
							i, j := row, p
							if turnA {
								i, j = p, row
							}
							q, r := p, col
							if turnB {
								q, r = col, p
							}
							sum += x(i, j) * y(q, r)
						}
						sum *= float64(factor)
						if old != nil {
							sum += float64(keep) * old(row, col)
						}
						binary.LittleEndian.PutUint32(out[4*(col*int(lc.rows)+row):], math.Float32bits(float32(sum)))
					}
				}
				return f.f.code(f.f.d.Write(c, out))
			})
		},
	}
}

// blasBackend is a card whose driver and library are stand-ins.
func blasBackend(t *testing.T, l *fakeBlas) *Backend {
	t.Helper()
	l.f = newFake()
	c, err := openCard(l.f.table(), 0)
	if err == nil {
		err = c.useBlas(l.table())
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBackend("cuda", c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLibrary: products go to the library as it wants them, in float32 and in bf16, and to our kernels where it has no way.
func TestLibrary(t *testing.T) {
	shapes := [][3]int{{64, 64, 64}, {65, 72, 70}, {16, 130, 129}, {300, 8, 110}, {64, 64, 64}}
	for _, bf16 := range []bool{false, true} {
		for _, none := range []bool{false, true} {
			l := &fakeBlas{none: none}
			b := blasBackend(t, l)
			b.bf16 = bf16
			if err := bf16Products(b, shapes); err != nil {
				t.Errorf("bf16 %v, no algorithm %v: %v", bf16, none, err)
			}
			if l.f.fault != nil {
				t.Error(l.f.fault)
			}
			if l.asked != 3*4 || l.done != 3*5 && !none || none && l.done != 0 || l.preferences != 0 {
				t.Errorf("bf16 %v, no algorithm %v: asked %d times, multiplied %d times, %d preferences left; wanted 12, 15 or 0, 0", bf16, none, l.asked, l.done, l.preferences)
			}
		}
	}
}

// TestLibraryLoss: the gradient of the loss in bf16 is that of ref within its rounding, rows without a target have none.
func TestLibraryLoss(t *testing.T) {
	const rows, c, v = 70, 64, 72
	r := tensor.NewRNG(4, "loss")
	x, w, share := rounded(r, rows*c), rounded(r, v*c), rounded(r, rows)
	ids := make([]int32, rows)
	for i := range ids {
		ids[i] = int32(r.Intn(v))
	}
	ids[3], ids[69] = backend.IgnoreIndex, backend.IgnoreIndex
	l := &fakeBlas{}
	card := blasBackend(t, l)
	card.bf16, card.logitBytes = true, 4*64*v // two chunks, of which the second is small
	var results [2][3][]float32
	for i, dev := range []backend.Backend{ref.New(), card} {
		up := func(x []float32) backend.Buffer {
			b := dev.AllocUninit(tensor.F32, len(x))
			dev.Upload(b, x)
			return b
		}
		targets := dev.AllocUninit(tensor.I32, rows)
		dev.UploadInts(targets, ids)
		out := []backend.Buffer{dev.Alloc(tensor.F32, rows), dev.Alloc(tensor.F32, rows*c), dev.Alloc(tensor.F32, v*c)}
		dev.LinearCrossEntropy(out[0], out[1], out[2], up(x), up(w), targets, up(share), rows, c, v, 0.25)
		for j, o := range out {
			results[i][j] = make([]float32, o.Len())
			if err := dev.Download(results[i][j], o); err != nil {
				t.Fatal(err)
			}
		}
	}
	for j, name := range []string{"nll", "dX", "dW"} {
		size := rms(results[0][j])
		for i, want := range results[0][j] {
			if d := math.Abs(float64(results[1][j][i] - want)); !(d <= 1e-2*(math.Abs(float64(want))+size)) || want == 0 && d != 0 {
				t.Fatalf("%s[%d] is %v; wanted %v", name, i, results[1][j][i], want)
			}
		}
	}
	if l.done != 3 || l.f.fault != nil {
		t.Errorf("%d products by the library, %v; wanted 3 of 6", l.done, l.f.fault)
	}
}

// TestLibraryFails: what the library says comes back from the next Sync.
func TestLibraryFails(t *testing.T) {
	b := blasBackend(t, &fakeBlas{status: 13})
	x := b.Alloc(tensor.F32, 64*64)
	b.MatMul(b.Alloc(tensor.F32, 64*64), x, x, 64, 64, 64, backend.NT, 1, 0)
	want := "cuda: cuBLASLt: a product: a status (13)"
	if err := b.Sync(); err == nil || err.Error() != want {
		t.Errorf("%v; wanted %s", err, want)
	}
}

// TestPacksFollow: what was packed of an operand is used again while nothing has written to it, and given back with it.
func TestPacksFollow(t *testing.T) {
	const n = 64
	l := &fakeBlas{}
	b := blasBackend(t, l)
	b.bf16 = true
	one := make([]float32, n*n)
	for i := range one {
		one[i] = 1
	}
	x, y, z := b.Alloc(tensor.F32, n*n), b.Alloc(tensor.F32, n*n), b.Alloc(tensor.F32, n*n)
	b.Upload(x, one)
	b.Upload(y, one)
	product := func(want float32) {
		t.Helper()
		b.MatMul(z, x, y, n, n, n, backend.NT, 1, 0)
		got := make([]float32, n*n)
		if err := b.Download(got, z); err != nil || got[77] != want {
			t.Errorf("%v, %v; wanted %v", got[77], err, want)
		}
	}
	product(n)
	first := b.packs[0].addr
	product(n)
	if len(b.packs) != 2 || b.packs[0].addr != first {
		t.Errorf("%d packs; wanted the two there were", len(b.packs))
	}
	b.AddScaled(x.Slice(0, n*n), y, 1) // by a slice
	product(2 * n)
	b.Fill(y, 3)
	product(6 * n)
	b.Upload(x, one)
	product(3 * n)
	program, err := b.Compile("own", `.version 7.2
.target sm_80
.address_size 64
.visible .entry own(.param .u64 x)
{
	.reg .b64 %rd<2>;
	.reg .f32 %f<2>;
	ld.param.u64 %rd1, [x];
	mov.f32 %f1, 0f41880000;
	st.global.f32 [%rd1], %f1;
	ret;
}
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Launch("own", [3]int{1, 1, 1}, [3]int{1, 1, 1}, 0, []uint64{b.Address(x.Slice(n, 2*n))}); err != nil {
		t.Fatal(err)
	}
	product(3 * (n - 1 + 17)) // element 77 is of row 1, whose first element is 17 now
	b.packBudget = 2 * 2 * n * n
	product(3 * (n - 1 + 17))
	w := b.Alloc(tensor.F32, n*n)
	b.MatMul(z, w, y, n, n, n, backend.NT, 1, 0)
	v := b.Alloc(tensor.F32, n*n)
	b.MatMul(z, w, v, n, n, n, backend.NT, 1, 0)
	if len(b.packs) != packsInUse+1 {
		t.Errorf("%d packs over the budget; wanted those that one operation may use, %d", len(b.packs), packsInUse+1)
	}
	for _, buf := range []backend.Buffer{v, w, x, y} {
		b.Free(buf)
	}
	if len(b.packs) != 0 || b.packBytes != 0 {
		t.Errorf("%d packs of %d bytes after their operands were freed", len(b.packs), b.packBytes)
	}
}
