package cuda

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"tunebook/engine/backend"
	"tunebook/engine/backend/conform"
	"tunebook/engine/backend/cuda/sim"
	"tunebook/engine/tensor"
)

// fake is a driver whose card is the simulator: all of the backend but libcuda itself runs on it.
type fake struct {
	d             *sim.Device
	version       int32
	major, minor  int32
	cards         int32
	room          uint64 // bytes that can still be allocated
	modules       []*sim.Module
	kernels       []*sim.Kernel
	sizes         map[uint64]uint64
	launchError   int32
	sharedAllowed map[uintptr]int32
	fault         error

	noPinned bool
	pinned   map[*byte][]byte
	late     []func() // copies to pinned memory, which arrive when the host waits

	capturing        bool
	captured         []func() int32   // of the graph that is being captured
	graphs, execs    [][]func() int32 // destroyed ones are nil
	direct, replayed int              // operations started one by one, graphs started
	noGraphs         int32            // the code with which instantiation is refused
}

// do starts an operation of the stream, or puts it into the graph that is being captured.
func (f *fake) do(what func() int32) int32 {
	if f.capturing {
		f.captured = append(f.captured, what)
		return 0
	}
	f.direct++
	return what()
}

// apart runs what may not be done while a graph is captured.
func (f *fake) apart(what func() int32) int32 {
	if f.capturing {
		return 900 // CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED
	}
	return what()
}

func (f *fake) graphTable(t *driverTable) {
	t.BeginCapture = func(s uintptr, mode int32) int32 {
		return f.apart(func() int32 { f.capturing, f.captured = true, nil; return 0 })
	}
	t.EndCapture = func(s uintptr, g *uintptr) int32 {
		if !f.capturing {
			return 901
		}
		f.capturing = false
		f.graphs = append(f.graphs, f.captured)
		*g = uintptr(len(f.graphs))
		return 0
	}
	t.GraphInstantiate = func(e *uintptr, g uintptr, flags uint64) int32 {
		if f.noGraphs != 0 {
			return f.noGraphs
		}
		f.execs = append(f.execs, f.graphs[g-1])
		*e = uintptr(len(f.execs))
		return 0
	}
	t.GraphLaunch = func(e, s uintptr) int32 {
		return f.apart(func() int32 {
			f.replayed++
			for _, what := range f.execs[e-1] {
				if code := what(); code != 0 {
					return code
				}
			}
			return 0
		})
	}
	t.GraphDestroy = func(g uintptr) int32 { f.graphs[g-1] = nil; return 0 }
	t.GraphExecDestroy = func(e uintptr) int32 { f.execs[e-1] = nil; return 0 }
}

func newFake() *fake {
	return &fake{d: sim.NewDevice(), version: 12090, major: 13, cards: 1, room: 1 << 40, sizes: map[uint64]uint64{}, sharedAllowed: map[uintptr]int32{}, pinned: map[*byte][]byte{}}
}

func (f *fake) text(p *byte) string {
	var b []byte
	for ; *p != 0; p = (*byte)(unsafe.Add(unsafe.Pointer(p), 1)) {
		b = append(b, *p)
	}
	return string(b)
}

func (f *fake) code(err error) int32 {
	if err != nil {
		f.fault = err
		return 700 // an illegal address
	}
	return 0
}

func (f *fake) table() *driverTable {
	words := append([]byte("the fake card says no"), 0)
	t := &driverTable{
		Init:             func(uint32) int32 { return 0 },
		DriverGetVersion: func(v *int32) int32 { *v = f.version; return 0 },
		DeviceGetCount:   func(n *int32) int32 { *n = f.cards; return 0 },
		DeviceGet:        func(dev *int32, i int32) int32 { *dev = i; return 0 },
		DeviceGetName: func(name *byte, n, dev int32) int32 {
			copy(unsafe.Slice(name, n), "Fake 1\x00")
			return 0
		},
		DeviceAttribute: func(v *int32, a, dev int32) int32 {
			*v = map[int32]int32{attributeMajor: f.major, attributeMinor: f.minor, attributeProcessors: 4}[a]
			return 0
		},
		DeviceTotalMem:    func(n *uint64, dev int32) int32 { *n = 8 << 30; return 0 },
		ContextRetain:     func(ctx *uintptr, dev int32) int32 { *ctx = 1; return 0 },
		ContextSetCurrent: func(ctx uintptr) int32 { return 0 },
		StreamCreate:      func(s *uintptr, flags uint32) int32 { *s = 2; return 0 },
		StreamSynchronize: func(s uintptr) int32 {
			return f.apart(func() int32 {
				for _, copy := range f.late {
					copy()
				}
				f.late = nil
				return 0
			})
		},
		MemHostAlloc: func(p **byte, n uint64, flags uint32) int32 {
			if f.noPinned {
				return codeOutOfMemory
			}
			mem := bytes.Repeat([]byte{0xa5}, int(n))
			*p, f.pinned[&mem[0]] = &mem[0], mem
			return 0
		},
		MemFreeHost: func(p *byte) int32 {
			if f.pinned[p] == nil {
				return 1
			}
			delete(f.pinned, p)
			return 0
		},
		ModuleLoadData: func(m *uintptr, image *byte) int32 {
			mod, err := sim.Parse([]byte(f.text(image)))
			if err != nil {
				return f.code(err)
			}
			f.modules = append(f.modules, mod)
			*m = uintptr(len(f.modules))
			return 0
		},
		ModuleGetFunction: func(fn *uintptr, m uintptr, name *byte) int32 {
			k := f.modules[m-1].Kernels[f.text(name)]
			if k == nil {
				return 500
			}
			f.kernels = append(f.kernels, k)
			*fn = uintptr(len(f.kernels))
			return 0
		},
		FuncSetAttribute: func(fn uintptr, a, v int32) int32 { f.sharedAllowed[fn] = v; return 0 },
		LaunchKernel: func(fn uintptr, gx, gy, gz, bx, by, bz, shared uint32, stream uintptr, params *unsafe.Pointer, extra uintptr) int32 {
			if f.launchError != 0 {
				return f.launchError
			}
			if shared > 48<<10 && int32(shared) > f.sharedAllowed[fn] {
				return 1
			}
			k := f.kernels[fn-1]
			var args []uint64
			for i, p := range unsafe.Slice(params, len(k.Params)) {
				v := uint64(*(*uint32)(p))
				if k.Params[i].Bytes == 8 {
					v = *(*uint64)(p)
				}
				args = append(args, v)
			}
			return f.do(func() int32 {
				return f.code(f.d.Launch(k, [3]int{int(gx), int(gy), int(gz)}, [3]int{int(bx), int(by), int(bz)}, int(shared), args))
			})
		},
		MemAlloc: func(addr *uint64, n uint64) int32 {
			if f.capturing {
				return 900
			}
			if n > f.room {
				return codeOutOfMemory
			}
			f.room -= n
			*addr = f.d.Alloc(int(n), "")
			f.sizes[*addr] = n
			return 0
		},
		MemFree: func(addr uint64) int32 {
			f.room += f.sizes[addr]
			return f.code(f.d.Free(addr))
		},
		MemGetInfo: func(free, total *uint64) int32 { *free, *total = f.room, 8<<30; return 0 },
		CopyToDevice: func(to uint64, from *byte, n uint64, s uintptr) int32 {
			return f.apart(func() int32 { return f.code(f.d.Write(to, unsafe.Slice(from, n))) })
		},
		CopyToHost: func(to *byte, from, n uint64, s uintptr) int32 {
			return f.apart(func() int32 {
				for start, mem := range f.pinned {
					if at := uintptr(unsafe.Pointer(to)) - uintptr(unsafe.Pointer(start)); at < uintptr(len(mem)) {
						got := make([]byte, n)
						err := f.d.Read(got, from)
						f.late = append(f.late, func() { copy(mem[at:], got) })
						return f.code(err)
					}
				}
				return f.code(f.d.Read(unsafe.Slice(to, n), from))
			})
		},
		Memset: func(to uint64, v uint8, n uint64, s uintptr) int32 {
			return f.do(func() int32 { return f.code(f.d.Zero(to, int(n))) })
		},
		ErrorString: func(code int32, s **byte) int32 { *s = &words[0]; return 0 },
		ErrorName:   func(code int32, s **byte) int32 { *s = &words[0]; return 0 },
	}
	f.graphTable(t)
	return t
}

func fakeBackend(t *testing.T, f *fake) *Backend {
	t.Helper()
	c, err := openCard(f.table(), 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBackend("cuda", c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDriverPath runs a part of the conformance suite through the driver's table.
func TestDriverPath(t *testing.T) {
	f := newFake()
	b := fakeBackend(t, f)
	for _, c := range conform.Checks() {
		if op, what, _ := strings.Cut(c.Name, "/"); op == "Memory" || op == "Shapes" || op == "SwiGLUForward" || op == "Gather" || what == "gradient" && op == "SumRows" {
			t.Run(c.Name, func(t *testing.T) { c.Run(thinned{t, 4}, b) })
		}
	}
	if f.fault != nil {
		t.Error(f.fault)
	}
}

// TestLargeShared: a kernel that takes more than 48 KB asks for it.
func TestLargeShared(t *testing.T) {
	f := newFake()
	b := fakeBackend(t, f)
	const d = 256
	x, o := b.Alloc(tensor.F32, 3*d), b.Alloc(tensor.F32, 3*d)
	segs := oneSegment(3)
	b.AttentionForward(o, nil, x, x, x, segs, 1, 1, d, 1)
	if err := b.Sync(); err != nil || f.fault != nil {
		t.Errorf("%v, %v", err, f.fault)
	}
	if len(f.sharedAllowed) != 1 {
		t.Errorf("%v; wanted one kernel that was allowed more", f.sharedAllowed)
	}
}

// TestPinned: what is offloaded goes through locked memory, whose copies arrive when the host waits, or through the driver's own
// where there is none; nothing of it is left.
func TestPinned(t *testing.T) {
	for _, none := range []bool{false, true} {
		f := newFake()
		f.noPinned = none
		b := fakeBackend(t, f)
		for _, c := range conform.Checks() {
			if c.Name == "Memory/offloaded" {
				c.Run(t, b)
			}
		}
		x := backend.Offload(b, tensor.F32, 5)
		if locked := len(f.pinned) == 1; locked == none {
			t.Errorf("locked memory: %v; the driver has none: %v", locked, none)
		}
		x.Free()
		if len(f.pinned) != 0 || f.fault != nil {
			t.Errorf("%d blocks of locked memory are left; %v", len(f.pinned), f.fault)
		}
	}
}

// TestOpen: what stands in the way of a card is said in one sentence.
func TestOpen(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(*fake, *driverTable)
		want string
	}{
		{"old driver", func(f *fake, _ *driverTable) { f.version = 11010 }, "cuda: the driver is for CUDA 11.1; the kernels want 11.2 or newer (driver 460)"},
		{"no card", func(f *fake, _ *driverTable) { f.cards = 0 }, "cuda: the driver finds no card"},
		{"no device", func(_ *fake, t *driverTable) { t.Init = func(uint32) int32 { return codeNoDevice } }, "cuda: the driver finds no card"},
		{"a driver that does not start", func(_ *fake, t *driverTable) { t.Init = func(uint32) int32 { return 803 } }, "cuda: the driver does not start: the fake card says no (803)"},
		{"old card", func(f *fake, _ *driverTable) { f.major, f.minor = 7, 5 }, "cuda: Fake 1 has compute capability 7.5; the kernels want 8.0 or newer (Ampere)"},
		{"no context", func(_ *fake, t *driverTable) { t.ContextRetain = func(*uintptr, int32) int32 { return 46 } }, "cuda: cuDevicePrimaryCtxRetain: the fake card says no (46)"},
	} {
		f := newFake()
		table := f.table()
		c.f(f, table)
		if _, err := openCard(table, 0); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v; wanted %s", c.name, err, c.want)
		}
	}
	if _, err := openCard(newFake().table(), 1); err == nil || err.Error() != "cuda: there is no card cuda:1; the driver has cuda:0 Fake 1" {
		t.Error(err)
	}
}

// TestArch: a card takes the newest cubin that runs on it, and PTX where there is none.
func TestArch(t *testing.T) {
	for cc, want := range map[[2]int]string{{8, 0}: "sm_80", {8, 6}: "sm_86", {8, 7}: "sm_86", {8, 9}: "sm_89", {9, 0}: "sm_90a", {10, 0}: "sm_100", {10, 3}: "sm_100", {12, 0}: "sm_120", {12, 1}: "sm_120", {11, 0}: "", {13, 0}: ""} {
		if got := (Card{Major: cc[0], Minor: cc[1]}).arch(); got != want {
			t.Errorf("capability %v: %q; wanted %q", cc, got, want)
		}
	}
}

// TestOutOfMemory: what does not fit comes back from the next Download with the numbers; memory that was given back is used first.
func TestOutOfMemory(t *testing.T) {
	f := newFake()
	f.room = 10 << 20
	b := fakeBackend(t, f)
	x := b.Alloc(tensor.F32, 1<<20)
	b.Free(x)
	x = b.Alloc(tensor.F32, 1<<20) // out of what was kept
	if f.room < 5<<20 {
		t.Errorf("%d bytes left; wanted one buffer of 4 MiB in use", f.room)
	}
	b.Free(x)
	y := b.Alloc(tensor.F32, 2<<20) // only fits when what is kept goes back to the driver
	if err := b.Sync(); err != nil {
		t.Fatal(err)
	}
	z := b.Alloc(tensor.F32, 1<<20)
	b.Fill(z, 1)
	err := b.Download(make([]float32, 1), y)
	var full *OutOfMemory
	if !errors.As(err, &full) || !strings.HasPrefix(err.Error(), "cuda: out of memory: 4.0 MiB wanted, 2.0 MiB of 8192.0 MiB free; this process uses 8.0 MiB, its largest buffers 8.0 MiB, 0.0 MiB; ") {
		t.Errorf("%v", err)
	}
	b.Free(z)
	if err := b.Download(make([]float32, 1), y); err != nil {
		t.Errorf("after it was reported: %v", err)
	}
}

// TestLaunchError: a launch that fails comes back once, and what follows it is not launched.
func TestLaunchError(t *testing.T) {
	f := newFake()
	b := fakeBackend(t, f)
	x := b.Alloc(tensor.F32, 4)
	f.launchError = 701
	b.Fill(x, 1)
	f.launchError = 0
	b.Fill(x, 2)
	got := []float32{9}
	if err := b.Download(got, x); err == nil || err.Error() != "cuda: vector_fill: the fake card says no (701)" {
		t.Errorf("%v", err)
	}
	if err := b.Download(got, x); err != nil || got[0] != 0 {
		t.Errorf("%v, %v; wanted the zeros of before", got, err)
	}
}

func TestSizeClass(t *testing.T) {
	for n, want := range map[int]int{0: 512, 4: 512, 512: 512, 513: 1024, 1025: 1280, 2048: 2048, 2049: 2560, 1 << 20: 1 << 20, 1<<20 + 1: 5 << 18} {
		if got := sizeClass(n); got != want {
			t.Errorf("%d bytes: %d; wanted %d", n, got, want)
		}
	}
	sizes := []int{}
	for n := range 5000 {
		if s := sizeClass(n); s < n {
			t.Fatalf("%d bytes: %d", n, s)
		} else if !slices.Contains(sizes, s) {
			sizes = append(sizes, s)
		}
	}
	if len(sizes) > 14 {
		t.Errorf("%d sizes below 5,000 bytes", len(sizes))
	}
}

// TestIndices: an index outside its table comes back with its place, whichever operation it was, and the next call is not harmed.
func TestIndices(t *testing.T) {
	b, err := NewSim()
	if err != nil {
		t.Fatal(err)
	}
	table, rows, out := b.Alloc(tensor.F32, 5*3), b.Alloc(tensor.I32, 2), b.Alloc(tensor.F32, 2*3)
	nll, codes, scales := b.Alloc(tensor.F32, 2), b.Alloc(tensor.I32, 8), b.Alloc(tensor.F32, 1)
	for _, c := range []struct {
		ids  []int32
		do   func()
		want string
	}{
		{[]int32{1, 5}, func() { b.EmbeddingForward(out, table, rows, 2, 3) }, "EmbeddingForward: id 5 at position 1; wanted one of 5"},
		{[]int32{-1, 0}, func() { b.EmbeddingBackward(table, out, rows, 2, 3) }, "EmbeddingBackward: id -1 at position 0; wanted one of 5"},
		{[]int32{0, 9}, func() { b.Gather(out, table, rows, 2, 3) }, "Gather: row 9 at position 1; wanted one of 5"},
		{[]int32{0, 7}, func() { b.Scatter(table, out, rows, 2, 3) }, "Scatter: row 7 at position 1; wanted one of 5"},
		{[]int32{0, 5}, func() { b.LinearCrossEntropy(nll, nil, nil, out, table, rows, nil, 2, 3, 5, 1) }, "LinearCrossEntropy: target 5 at position 1; wanted one of 5"},
		{[]int32{-1, 5}, func() { b.EmbeddingPacked(out, codes, scales, rows, 2, 3, 5, backend.Q8_0) }, "EmbeddingPacked: id -1 at position 0; wanted one of 5"},
		{[]int32{4, 5}, func() { b.EmbeddingPacked(out, codes, scales, rows, 2, 3, 5, backend.NF4) }, "EmbeddingPacked: id 5 at position 1; wanted one of 5"},
		{[]int32{4, -100}, func() { b.LinearCrossEntropy(nll, nil, nil, out, table, rows, nil, 2, 3, 5, 1) }, ""},
	} {
		b.UploadInts(rows, c.ids)
		c.do()
		err := b.Sync()
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%v; wanted %q", err, c.want)
		}
		if err := b.Sync(); err != nil {
			t.Errorf("%q: a second time: %v", c.want, err)
		}
	}
}

// TestEmbeddingPackedIsARead: a few rows of a large table are read where it lies, without memory for the table's numbers.
func TestEmbeddingPackedIsARead(t *testing.T) {
	const T, C, V = 4, 2048, 128256
	p, err := PlanFor(8<<30, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range backend.Quants {
		codes, scales := p.AllocUninit(tensor.I32, q.Codes(V*C)), p.AllocUninit(tensor.F32, q.Scales(V*C))
		y, ids := p.AllocUninit(tensor.F32, T*C), p.AllocUninit(tensor.I32, T)
		before := p.Peak()
		p.EmbeddingPacked(y, codes, scales, ids, T, C, V, q)
		if got := p.Peak(); got != before {
			t.Errorf("%s: %d bytes besides the operands", q, got-before)
		}
		for _, b := range []backend.Buffer{codes, scales, y, ids} {
			p.Free(b)
		}
	}
}
