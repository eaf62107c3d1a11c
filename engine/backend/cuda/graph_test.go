package cuda

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// graphed is a card with a library of products that starts what repeats as graphs, or does not.
func graphed(t *testing.T, graphs bool) (*Backend, *fakeBlas) {
	t.Helper()
	l := &fakeBlas{}
	b := blasBackend(t, l)
	b.bf16 = true
	if c := b.dev.(*card); graphs {
		c.graphs = newGraphs(c)
	}
	return b, l
}

// pass asks for operations of every kind on n·n numbers of x, one of which is new each time.
func pass(b *Backend, x backend.Buffer, n int, value float32) {
	y, z := b.Alloc(tensor.F32, n*n), b.AllocUninit(tensor.F32, n*n)
	b.Upload(x, []float32{value})
	b.Copy(z, x.Slice(0, n*n))
	b.AddScaled(z, x.Slice(0, n*n), 0.5)
	b.MatMul(y, z, x, n, n, n, backend.NT, 0.25, 0)
	b.MatMul(y, x, z, n, n, n, backend.NN, 0.5, 1)
	b.AddScaled(x.Slice(0, n*n), y, 1e-3)
	b.Fill(z.Slice(0, 1), 2)
	b.Free(y)
	b.Free(z)
}

// TestGraphs: what repeats is started as a graph, what differs in shape, in an address or in where it is waited for is not, and
// either way all bits are those of a card without graphs.
func TestGraphs(t *testing.T) {
	const side = 72
	start := make([]float32, side*side)
	for i := range start {
		start[i] = float32(i%13-6) / 8
	}
	type card struct {
		b *Backend
		x backend.Buffer
		l *fakeBlas
	}
	var both []card
	for _, graphs := range []bool{false, true} {
		b, l := graphed(t, graphs)
		x := b.AllocUninit(tensor.F32, side*side)
		b.Upload(x, start)
		both = append(both, card{b, x, l})
	}
	for i, c := range []struct {
		what    string
		do      func(b *Backend, x backend.Buffer)
		replays int
	}{
		{"the first time", func(b *Backend, x backend.Buffer) { pass(b, x, side, 1) }, 0},
		{"the second time", func(b *Backend, x backend.Buffer) { pass(b, x, side, 2) }, 1},
		{"the third time", func(b *Backend, x backend.Buffer) { pass(b, x, side, 3) }, 1},
		{"another shape", func(b *Backend, x backend.Buffer) { pass(b, x, side-8, 4) }, 0},
		{"the first shape again", func(b *Backend, x backend.Buffer) { pass(b, x, side, 5) }, 1},
		{"other addresses", func(b *Backend, x backend.Buffer) {
			held := b.AllocUninit(tensor.F32, side*side)
			pass(b, x, side, 6)
			b.Free(held)
		}, 0},
		{"the first addresses again", func(b *Backend, x backend.Buffer) { pass(b, x, side, 7) }, 1},
		{"a copy back in between", func(b *Backend, x backend.Buffer) {
			y, z := b.Alloc(tensor.F32, side*side), b.AllocUninit(tensor.F32, side*side)
			b.Upload(x, []float32{8})
			b.Copy(z, x)
			b.AddScaled(z, x, 0.5)
			got := make([]float32, 1)
			if err := b.Download(got, z); err != nil || got[0] != 12 {
				t.Errorf("%v, %v; wanted 12", got, err)
			}
			b.MatMul(y, z, x, side, side, side, backend.NT, 0.25, 0)
			b.Free(y)
			b.Free(z)
		}, 0},
		{"another number in one operation", func(b *Backend, x backend.Buffer) {
			y, z := b.Alloc(tensor.F32, side*side), b.AllocUninit(tensor.F32, side*side)
			b.Upload(x, []float32{9})
			b.Copy(z, x)
			b.AddScaled(z, x, 0.75)
			b.MatMul(y, z, x, side, side, side, backend.NT, 0.25, 0)
			b.AddScaled(x, y, 1e-3)
			b.Free(y)
			b.Free(z)
		}, 0},
		{"a new list again", func(b *Backend, x backend.Buffer) { pass(b, x, side, 10) }, 1},
	} {
		var results [2][]float32
		for j, c2 := range both {
			before := c2.l.f.replayed
			c.do(c2.b, c2.x)
			results[j] = make([]float32, side*side)
			if err := c2.b.Download(results[j], c2.x); err != nil || c2.l.f.fault != nil {
				t.Fatalf("%s: %v, %v", c.what, err, c2.l.f.fault)
			}
			if got := c2.l.f.replayed - before; got != c.replays*j {
				t.Errorf("%d, %s: %d graphs started; wanted %d", i, c.what, got, c.replays*j)
			}
		}
		if !slices.EqualFunc(results[0], results[1], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			t.Errorf("%d, %s: other bits than without graphs", i, c.what)
		}
	}
	if both[0].l.done != both[1].l.done || both[1].l.f.graphs == nil {
		t.Errorf("%d and %d products of the library", both[0].l.done, both[1].l.done)
	}
	for _, g := range both[1].l.f.graphs {
		if g != nil {
			t.Error("a graph was not destroyed after it had been instantiated")
		}
	}
}

// TestGraphFailures: a launch that fails comes back with the next Download whether it is held back or not; a driver that makes no
// graphs changes nothing but the time.
func TestGraphFailures(t *testing.T) {
	b, l := graphed(t, true)
	x := b.AllocUninit(tensor.F32, 72*72)
	b.Upload(x, make([]float32, 72*72))
	one := make([]float32, 1)
	for range 2 {
		pass(b, x, 72, 1)
		if err := b.Download(one, x); err != nil {
			t.Fatal(err)
		}
	}
	l.f.launchError = 701
	b.Fill(x, 3)
	b.Fill(x, 4) // differs from what is known: started at once
	if err := b.Download(one, x); err == nil || !strings.Contains(err.Error(), "vector_fill: the fake card says no (701)") {
		t.Error(err)
	}
	y := b.AllocUninit(tensor.F32, 72*72)
	b.Copy(y, x) // how the known list goes on: held back
	if err := b.Download(one, x); err == nil || !strings.Contains(err.Error(), "vector_copy: the fake card says no (701)") {
		t.Error(err)
	}
	b.Free(y)
	l.f.launchError = 0
	if err := b.Download(one, x); err != nil {
		t.Errorf("after it was reported: %v", err)
	}
	b.dev.(*card).graphs = newGraphs(b.dev.(*card))
	l.f.noGraphs = 801
	before := l.f.replayed
	for i := range 3 {
		pass(b, x, 72, float32(i))
		if err := b.Download(one, x); err != nil {
			t.Fatal(err)
		}
	}
	if l.f.replayed != before {
		t.Errorf("%d graphs of a driver that has none", l.f.replayed-before)
	}
}

// TestGraphLists: long lists are cut, the oldest are forgotten, and what is forgotten is destroyed.
func TestGraphLists(t *testing.T) {
	b, l := graphed(t, true)
	c := b.dev.(*card)
	x := b.AllocUninit(tensor.F32, 8)
	run := func(first float32, n int) {
		for i := range n {
			b.Fill(x, first+float32(i))
		}
		if err := b.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		run(1, longestList+40)
	}
	if l.f.replayed != 4 || c.graphs.n != 2 {
		t.Errorf("%d graphs started of %d lists; wanted 4 of 2", l.f.replayed, c.graphs.n)
	}
	run(1, leastList-1)
	for i := range mostLists {
		run(float32(1000*(i+1)), leastList)
	}
	if c.graphs.n != mostLists {
		t.Errorf("%d lists; wanted %d", c.graphs.n, mostLists)
	}
	for i, e := range l.f.execs {
		if e != nil {
			t.Errorf("graph %d was not destroyed", i)
		}
	}
	total := 0
	for _, same := range c.graphs.known {
		total += len(same)
	}
	if total != mostLists {
		t.Error(fmt.Sprint(total, " lists are kept"))
	}
}
