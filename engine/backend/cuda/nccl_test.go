package cuda

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// fakeNCCL does what NCCL is documented to do, in Go, on the memory of simulated cards: calls of a group are made at its end, and
// the cards' must be alike.
type fakeNCCL struct {
	cards   []*fake // by the driver's number
	devices []int32 // of the communicators, by rank
	ended   int     // communicators that were destroyed
	depth   int
	calls   [][]ncclCall // of the group, by rank
	version int32
	fails   map[string]int32 // codes by function
	groups  int
}

type ncclCall struct {
	op                  string
	send, recv, count   uint64
	dataType, operation int32
	root                int32
	stream              uintptr
}

// joined are cards of which each has a driver of its own, joined by the library once they are linked.
func joined(t testing.TB, n int) (*fakeNCCL, []*Backend) {
	t.Helper()
	l := &fakeNCCL{version: 22703, fails: map[string]int32{}}
	var all []*Backend
	for i := range n {
		f := newFake()
		c, err := openCard(f.table(), 0)
		if err != nil {
			t.Fatal(err)
		}
		c.ordinal = int32(i)
		b, err := newBackend(backend.Numbered("cuda", i), c)
		if err != nil {
			t.Fatal(err)
		}
		l.cards, all = append(l.cards, f), append(all, b)
	}
	load := loadNCCL
	loadNCCL = func() (*ncclTable, string, error) { return l.table(), "libfake.so.2", nil }
	t.Cleanup(func() { loadNCCL = load })
	return l, all
}

func (l *fakeNCCL) add(comm uintptr, c ncclCall) int32 {
	if code := l.fails[c.op]; code != 0 {
		return code
	}
	if l.depth == 0 {
		return 5 // one thread calls for several cards: outside a group it would wait for ever
	}
	l.calls[comm-1] = append(l.calls[comm-1], c)
	return 0
}

func (l *fakeNCCL) read(rank int, addr, n uint64) []float32 {
	b := make([]byte, 4*n)
	f := l.cards[l.devices[rank]]
	f.code(f.d.Read(b, addr))
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x
}

func (l *fakeNCCL) write(rank int, addr uint64, x []float32) {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	f := l.cards[l.devices[rank]]
	f.code(f.d.Write(addr, b))
}

// run makes call i of every rank.
func (l *fakeNCCL) run(i int) int32 {
	c := l.calls[0][i]
	var sum []float32
	for rank := range l.calls {
		if len(l.calls[rank]) <= i {
			return 5
		}
		d := l.calls[rank][i]
		if d.op != c.op || d.count != c.count || d.root != c.root || d.dataType != 7 || d.operation != 0 || d.stream != 2 {
			return 5
		}
		if x := l.read(rank, d.send, d.count); rank == 0 {
			sum = x
		} else if c.op == "Reduce" {
			for j := range sum {
				sum[j] += x[j]
			}
		}
	}
	for rank := range l.calls {
		if c.op == "Broadcast" || rank == int(c.root) {
			l.write(rank, l.calls[rank][i].recv, sum)
		}
	}
	return 0
}

func (l *fakeNCCL) table() *ncclTable {
	return &ncclTable{
		GetVersion:  func(v *int32) int32 { *v = l.version; return l.fails["GetVersion"] },
		ErrorString: func(int32) string { return "the fake library says no" },
		InitAll: func(comms *uintptr, n int32, devices *int32) int32 {
			if code := l.fails["InitAll"]; code != 0 {
				return code
			}
			l.devices = slices.Clone(unsafe.Slice(devices, n))
			for i := range n {
				unsafe.Slice(comms, n)[i] = uintptr(i + 1)
			}
			l.calls = make([][]ncclCall, n)
			return 0
		},
		Destroy:    func(comm uintptr) int32 { l.ended++; return l.fails["Destroy"] },
		GroupStart: func() int32 { l.depth++; return l.fails["GroupStart"] },
		GroupEnd: func() int32 {
			l.depth--
			l.groups++
			defer func() { l.calls = make([][]ncclCall, len(l.devices)) }()
			for i := range l.calls[0] {
				if code := l.run(i); code != 0 {
					return code
				}
			}
			return l.fails["GroupEnd"]
		},
		Reduce: func(send, recv, count uint64, dataType, op, root int32, comm, stream uintptr) int32 {
			return l.add(comm, ncclCall{"Reduce", send, recv, count, dataType, op, root, stream})
		},
		Broadcast: func(send, recv, count uint64, dataType, root int32, comm, stream uintptr) int32 {
			return l.add(comm, ncclCall{"Broadcast", send, recv, count, dataType, 0, root, stream})
		},
	}
}

// buffers puts numbers on cards: parts[d][i] holds n+i elements of d+1, a last one none.
func buffers(devs []*Backend, count, n int) (parts [][]backend.Buffer) {
	for d, b := range devs {
		var list []backend.Buffer
		for i := range count {
			x := b.AllocUninit(tensor.F32, n+i)
			b.Fill(x, float32(d+1))
			list = append(list, x)
		}
		parts = append(parts, append(list, b.AllocUninit(tensor.F32, 0)))
	}
	return parts
}

func first(t *testing.T, b *Backend, x backend.Buffer) float32 {
	t.Helper()
	v := make([]float32, x.Len())
	if err := b.Download(v, x); err != nil {
		t.Fatal(err)
	}
	for _, e := range v {
		if e != v[0] {
			t.Fatalf("%v; wanted one number", v)
		}
	}
	return v[0]
}

func links(devs []*Backend) (all []backend.Backend) {
	for _, b := range devs {
		all = append(all, b)
	}
	return all
}

// TestNCCL: sums come to the first card, copies from there, in groups of calls on the stream on which the cards work; whichever card is
// the first, with graphs and without. What was packed of a buffer that was written to is packed again.
func TestNCCL(t *testing.T) {
	for _, graphs := range []bool{false, true} {
		l, devs := joined(t, 3)
		slices.Reverse(devs)
		if graphs {
			for _, b := range devs {
				b.dev.(*card).graphs = newGraphs(b.dev.(*card))
			}
		}
		c := backend.NewCollective(links(devs))
		if got := c.Info(); got != "by NCCL 2.27.3, libfake.so.2" || !slices.Equal(l.devices, []int32{2, 1, 0}) {
			t.Fatalf("%q on devices %v", got, l.devices)
		}
		parts := buffers(devs, 70, 3)
		if err := c.Reduce(parts); err != nil {
			t.Fatal(err)
		}
		for i := range 70 {
			for d, want := range []float32{6, 2, 3} {
				if got := first(t, devs[d], parts[d][i]); got != want {
					t.Errorf("graphs %v: buffer %d of device %d is %v; wanted %v", graphs, i, d, got, want)
				}
			}
		}
		b := devs[2]
		b.bf16, b.packAlways = true, true
		const n = 64
		w, out := [][]backend.Buffer{{devs[0].Alloc(tensor.F32, n*n)}, {devs[1].Alloc(tensor.F32, n*n)}, {b.Alloc(tensor.F32, n*n)}}, b.Alloc(tensor.F32, n*n)
		devs[0].Fill(w[0][0], 2)
		b.Fill(w[2][0], 1)
		for i, want := range []float32{n, 4 * n} {
			b.MatMul(out, w[2][0], w[2][0], n, n, n, backend.NT, 1, 0)
			if got := first(t, b, out); got != want {
				t.Errorf("graphs %v: product %d is %v; wanted %v", graphs, i, got, want)
			}
			if err := c.Broadcast(w); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Close(); err != nil || l.ended != 3 || l.depth != 0 || l.groups != 4 {
			t.Errorf("graphs %v: %v, %d communicators ended, %d groups, %d open; wanted 3, 4 and none", graphs, err, l.ended, l.groups, l.depth)
		}
		for i, f := range l.cards {
			if f.fault != nil {
				t.Errorf("card %d: %v", i, f.fault)
			}
		}
	}
}

// TestNCCLFails: what the library says comes back, a group that was begun is ended, and a card that has failed keeps the others from
// waiting for it.
func TestNCCLFails(t *testing.T) {
	for fails, want := range map[string]string{
		"Reduce": "cuda: NCCL: Reduce: the fake library says no (1)", "GroupStart": "cuda: NCCL: a group: the fake library says no (1)",
		"GroupEnd": "cuda: NCCL: the end of a group: the fake library says no (1)", "Destroy": "cuda: NCCL: the end: the fake library says no (1)",
	} {
		l, devs := joined(t, 2)
		c := backend.NewCollective(links(devs))
		l.fails[fails] = 1
		err := c.Reduce(buffers(devs, 1, 3))
		if err == nil {
			err = c.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v; wanted %s", fails, err, want)
		}
		if l.depth != 0 && fails != "GroupStart" {
			t.Errorf("%s: a group was left open", fails)
		}
	}
	l, devs := joined(t, 2)
	c := backend.NewCollective(links(devs))
	parts := buffers(devs, 1, 3)
	l.cards[1].launchError = 701
	devs[1].Fill(parts[1][0], 1)
	if err := c.Reduce(parts); err == nil || !strings.Contains(err.Error(), "vector_fill") || l.groups != 0 {
		t.Errorf("a card that has failed: %v, %d groups", err, l.groups)
	}
}

// TestNoNCCL: without the library, with one that does not start, or with a simulated card among them, cards add through the machine's
// memory and Info says why.
func TestNoNCCL(t *testing.T) {
	l, devs := joined(t, 2)
	l.fails["InitAll"] = 2
	check := func(devs []backend.Backend, want string) {
		t.Helper()
		c := backend.NewCollective(devs)
		if got := c.Info(); got != want {
			t.Errorf("%q; wanted %q", got, want)
		}
		parts := buffers([]*Backend{devs[0].(*Backend), devs[1].(*Backend)}, 1, 3)
		if err := c.Reduce(parts); err != nil || first(t, devs[0].(*Backend), parts[0][0]) != 3 {
			t.Errorf("the sum of 1 and 2: %v", err)
		}
	}
	check(links(devs), "through the machine's memory; cuda: NCCL: the cards cannot be joined: the fake library says no (2)")
	one, err := NewSim()
	if err != nil {
		t.Fatal(err)
	}
	check([]backend.Backend{one, devs[0]}, "through the machine's memory; cuda: NCCL joins cards; cuda-sim is none")
	for v, want := range map[int32]string{2804: "2.8.4", 21605: "2.16.5", 23203: "2.32.3"} {
		l.version = v
		if got := l.table().version(); got != want {
			t.Errorf("%d is %s; wanted %s", v, got, want)
		}
	}
}
