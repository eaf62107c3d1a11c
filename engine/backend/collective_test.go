package backend

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

// adder is a host device that can add; away hides that its buffers lie in Go memory.
type adder struct {
	HostMemory
	Ops
	name string
}

func (d *adder) Name() string { return d.name }
func (d *adder) Info() string { return "adds" }

func (d *adder) AddScaled(y, x Buffer, alpha float32) {
	a, b := y.(*HostBuffer).F, x.(*HostBuffer).F
	if len(a) != len(b) {
		panic("lengths differ")
	}
	for i := range a {
		a[i] += alpha * b[i]
	}
}

// away is a device whose memory is its own.
type away struct {
	Backend
	fails error // of the next Download
}

type awayBuffer struct {
	of *away
	b  Buffer
}

func (b *awayBuffer) DType() tensor.DType       { return b.b.DType() }
func (b *awayBuffer) Len() int                  { return b.b.Len() }
func (b *awayBuffer) Slice(from, to int) Buffer { return &awayBuffer{b.of, b.b.Slice(from, to)} }

func (d *away) own(b Buffer) Buffer {
	x := b.(*awayBuffer)
	if x.of != d {
		panic("another device's buffer")
	}
	return x.b
}

func (d *away) AllocUninit(dt tensor.DType, n int) Buffer {
	return &awayBuffer{d, d.Backend.Alloc(dt, n)}
}
func (d *away) Free(b Buffer)                    { d.Backend.Free(d.own(b)) }
func (d *away) Upload(b Buffer, x []float32)     { d.Backend.Upload(d.own(b), x) }
func (d *away) AddScaled(y, x Buffer, a float32) { d.Backend.AddScaled(d.own(y), d.own(x), a) }
func (d *away) Download(x []float32, b Buffer) error {
	if err := d.fails; err != nil {
		d.fails = nil
		return err
	}
	return d.Backend.Download(x, d.own(b))
}

// Sums are made in the order of the devices, copies are those of the first, in pieces or whole, in Go memory or from other
// devices' memory; what the other devices hold stays.
func TestCollectiveThroughHost(t *testing.T) {
	defer func(n int) { hostPiece = n }(hostPiece)
	for _, piece := range []int{3, 1 << 20} {
		for _, apart := range []bool{false, true} {
			hostPiece = piece
			devs := make([]Backend, 3)
			for i := range devs {
				devs[i] = &adder{name: "adder"}
				if apart {
					devs[i] = &away{Backend: devs[i]}
				}
			}
			// In this order 1 is lost beside 2^24; in the other the sum would be 1.
			numbers := [][]float32{{1 << 24, 1, 2, 3, 4, 5, 6}, {1, 10, 20, 30, 40, 50, 60}, {-1 << 24, 100, 200, 300, 400, 500, 600}}
			parts := make([][]Buffer, 3)
			for d, x := range numbers {
				for _, n := range []int{7, 1} {
					b := devs[d].AllocUninit(tensor.F32, n)
					devs[d].Upload(b, x[:n])
					parts[d] = append(parts[d], b)
				}
			}
			read := func(d, i int) []float32 {
				x := make([]float32, parts[d][i].Len())
				if err := devs[d].Download(x, parts[d][i]); err != nil {
					t.Fatal(err)
				}
				return x
			}
			c := NewCollective(devs)
			if err := c.Reduce(parts); err != nil {
				t.Fatal(err)
			}
			if got := read(0, 0); !slices.Equal(got, []float32{0, 111, 222, 333, 444, 555, 666}) {
				t.Errorf("pieces of %d, apart %v: the sum is %v", piece, apart, got)
			}
			if got := read(1, 0); !slices.Equal(got, numbers[1]) {
				t.Errorf("the second device's numbers became %v", got)
			}
			if err := c.Broadcast(parts); err != nil {
				t.Fatal(err)
			}
			for d := range devs {
				if got := read(d, 0); !slices.Equal(got, read(0, 0)) || read(d, 1)[0] != 0 {
					t.Errorf("device %d has %v, %v after a broadcast of %v", d, got, read(d, 1), read(0, 0))
				}
			}
			if !apart {
				continue
			}
			lost := errors.New("a device was lost")
			devs[1].(*away).fails = lost
			if err := c.Reduce(parts); !errors.Is(err, lost) {
				t.Errorf("a failing device: %v", err)
			}
		}
	}
}

type linked struct {
	Backend
	err error
}

type link struct{ Collective }

func (l *linked) Link([]Backend) (Collective, error) {
	if l.err != nil {
		return nil, l.err
	}
	return link{}, nil
}

// Devices with a way of their own take it; without one, Info says why.
func TestNewCollective(t *testing.T) {
	plain := &adder{name: "adder"}
	if _, ok := NewCollective([]Backend{&linked{Backend: plain}, plain}).(link); !ok {
		t.Error("the devices' own way was not taken")
	}
	for err, want := range map[error]string{nil: "through the machine's memory", errors.New("no library (libx.so)"): "through the machine's memory; no library (libx.so)"} {
		var dev Backend = plain
		if err != nil {
			dev = &linked{plain, err}
		}
		if got := NewCollective([]Backend{dev, plain}).Info(); got != want {
			t.Errorf("%q; wanted %q", got, want)
		}
	}
}

// Numbered devices are opened once each, number 0 by two names.
func TestNumbered(t *testing.T) {
	opened := 0
	RegisterNumbered("abaci", func(i int) (Backend, error) {
		if i > 2 {
			return nil, errors.New("there are 3")
		}
		opened++
		return &adder{name: Numbered("abaci", i)}, nil
	})
	for _, c := range [][2]string{{"abaci", "abaci"}, {"abaci:0", "abaci"}, {"abaci:1", "abaci:1"}, {"abaci:01", "abaci:1"}, {"abaci:1", "abaci:1"}} {
		if b, err := Open(c[0]); err != nil || b.Name() != c[1] || Kind(b.Name()) != "abaci" {
			t.Errorf("%s: %v, %v", c[0], b, err)
		}
	}
	if opened != 2 {
		t.Errorf("%d devices were made; wanted 2", opened)
	}
	for name, want := range map[string]string{"abaci:": `"abaci:": the number behind abaci: is ""`, "abaci:-1": `is "-1"; wanted 0 or more`, "abaci:3": "there are 3", "abacus:1": `no device "abacus:1"`} {
		if _, err := Open(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; wanted %s", name, err, want)
		}
	}
}
