package model

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// tally is a device that counts the elements that are out.
type tally struct {
	*ref.Backend
	mu  sync.Mutex
	out map[backend.Buffer]int
}

func newTally() *tally { return &tally{Backend: ref.New(), out: map[backend.Buffer]int{}} }

func (d *tally) took(b backend.Buffer) backend.Buffer {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out[b] = b.Len()
	return b
}

func (d *tally) Alloc(dt tensor.DType, n int) backend.Buffer { return d.took(d.Backend.Alloc(dt, n)) }
func (d *tally) AllocUninit(dt tensor.DType, n int) backend.Buffer {
	return d.took(d.Backend.AllocUninit(dt, n))
}
func (d *tally) Adopt(x []float32) backend.Buffer { return d.took(d.Backend.Adopt(x)) }

func (d *tally) AdoptInts(x []int32) backend.Buffer { return d.took(d.Backend.AdoptInts(x)) }

func (d *tally) Free(b backend.Buffer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.out[b]; !ok {
		panic("a buffer that is not out was freed")
	}
	delete(d.out, b)
	d.Backend.Free(b)
}

func (d *tally) elements() (n int) {
	for _, k := range d.out {
		n += k
	}
	return n
}

func copies() Config {
	return Config{ModelType: "llama", VocabSize: 64, HiddenSize: 32, IntermediateSize: 64, NumHiddenLayers: 2, NumAttentionHeads: 2, NumKeyValueHeads: 1,
		HeadDim: 16, MaxPositionEmbeddings: 32, RMSNormEps: 1e-5, RopeTheta: 1e4, TieWordEmbeddings: true, InitializerRange: 0.2}
}

func fingerprintOf(t *testing.T, m *Model) string {
	t.Helper()
	f, err := m.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Closing a model gives back what it holds and no other model does, whichever of those that share weights goes first.
func TestClose(t *testing.T) {
	dev := newTally()
	m, err := New(dev, copies(), 1)
	if err != nil {
		t.Fatal(err)
	}
	want, alone := fingerprintOf(t, m), dev.elements()
	if got := m.Bytes(); got != int64(4*(alone-len(m.freqs.(*backend.HostBuffer).F))) {
		t.Errorf("the model has %d bytes; %d elements are out", got, alone)
	}
	adapted := func(m *Model) *Model {
		n := m.Share()
		if err := n.AddAdapter(LoRA{Rank: 2, DoRA: true}, 1); err != nil {
			t.Fatal(err)
		}
		return n
	}
	merged := func(m *Model) *Model {
		n, err := m.Merge()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	quantised := func(m *Model) *Model {
		n, err := m.Quantize(backend.Q8_0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for name, derive := range map[string]func(m *Model) []*Model{
		"a clone":                     func(m *Model) []*Model { return []*Model{m.Clone()} },
		"an adapter":                  func(m *Model) []*Model { return []*Model{adapted(m)} },
		"a clone with its adapter":    func(m *Model) []*Model { a := adapted(m); return []*Model{a, a.Clone()} },
		"it again, with an adapter":   func(m *Model) []*Model { a := adapted(m); return []*Model{a, a.Again()} },
		"a merged one":                func(m *Model) []*Model { a := adapted(m); return []*Model{merged(a), a} },
		"a quantised one, its clones": func(m *Model) []*Model { q := quantised(m); return []*Model{q, q.Clone(), merged(q), adapted(q)} },
	} {
		for _, d := range derive(m) {
			d.Close()
			d.Close()
		}
		if got := fingerprintOf(t, m); got != want || dev.elements() != alone {
			t.Errorf("%s: %d elements are out afterwards; wanted %d, and the model as it was: %v", name, dev.elements(), alone, got == want)
		}
		first := m.Share() // the model that others come from goes first
		all := derive(first)
		before := fingerprintOf(t, all[len(all)-1])
		first.Close()
		if got := fingerprintOf(t, all[len(all)-1]); got != before {
			t.Errorf("%s: changed when the model that it came from was closed", name)
		}
		for _, d := range all {
			d.Close()
		}
		if dev.elements() != alone {
			t.Errorf("%s, last: %d elements are out; wanted %d", name, dev.elements(), alone)
		}
	}
	m.Close()
	if n := dev.elements(); n != 0 {
		t.Errorf("%d elements are out after the last Close", n)
	}
}

// A model on another device is the same one, shares nothing with it, and is left on none where a device fails.
func TestOn(t *testing.T) {
	from := newTally()
	plain, err := New(from, copies(), 1)
	if err != nil {
		t.Fatal(err)
	}
	adapted := plain.Share()
	if err := adapted.AddAdapter(LoRA{Rank: 2, DoRA: true}, 1); err != nil {
		t.Fatal(err)
	}
	packed, err := plain.Quantize(backend.NF4)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*Model{"plain": plain, "adapted": adapted, "packed": packed} {
		to := newTally()
		n, err := m.On(to)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := fingerprintOf(t, m), fingerprintOf(t, n); a != b || n.Device() != backend.Backend(to) || n.Bytes() != m.Bytes() {
			t.Errorf("%s: %s, %d bytes; wanted %s, %d", name, b, n.Bytes(), a, m.Bytes())
		}
		for i, p := range n.Params() {
			if p == m.Params()[i] || p.Packed == nil && p.Value == m.Params()[i].Value || p.Packed != nil && p.Packed == m.Params()[i].Packed {
				t.Errorf("%s: %s is shared", name, p.Name)
			}
		}
		tape := grad.New(to, false)
		n.Forward(tape, Input{IDs: []int32{1, 2}, Positions: []int32{0, 1}, Segments: &backend.Segments{List: []backend.Segment{{QLen: 2, KLen: 2}}}})
		tape.Free()
		n.Close()
		if k := to.elements(); k != 0 {
			t.Errorf("%s: %d elements are out after Close", name, k)
		}
	}
	to := newTally()
	if _, err := plain.On(&failing{to}); err == nil || !strings.Contains(err.Error(), "is full") || to.elements() != 0 {
		t.Errorf("a device without room: %v, %d elements are out", err, to.elements())
	}
}

type failing struct{ *tally }

func (failing) Sync() error { return errors.New("the device is full") }
