package cuda

import (
	"testing"

	"tunebook/engine/backend"
)

// NewFake is a card whose driver is a stand-in for libcuda and whose kernels the simulator runs, with graphs or without. count tells
// how many operations were started one by one, and how many graphs.
func NewFake(graphs bool) (b *Backend, count func() (direct, replayed int), err error) {
	f := newFake()
	c, err := openCard(f.table(), 0)
	if err != nil {
		return nil, nil, err
	}
	if graphs {
		c.graphs = newGraphs(c)
	}
	b, err = newBackend("cuda", c)
	return b, func() (int, int) { return f.direct, f.replayed }, err
}

// SetGraphs has a card start what repeats as graphs, or no longer. It returns how many graphs were started until then.
func SetGraphs(b *Backend, on bool) (replays int) {
	c := b.dev.(*card)
	if c.graphs != nil {
		replays = c.graphs.replays
	}
	b.Sync()
	if c.graphs = nil; on {
		c.graphs = newGraphs(c)
	}
	return replays
}

// NewBF16Sim is a simulated card whose products, of any size, run on tensor cores.
func NewBF16Sim() (*Backend, error) {
	b, err := NewSim()
	if err == nil {
		b.bf16, b.packAlways = true, true
	}
	return b, err
}

// PlanFor is a plan of a card with that much memory, of Hopper's generation, with a library of products.
func PlanFor(bytes int64, bf16 bool) (backend.Plan, error) {
	b, err := newBackend("cuda", &counter{card: "sm_90a", blas: true, room: bytes, live: map[uint64]int{}, next: 1 << 40})
	if err != nil {
		return nil, err
	}
	if b.bf16 = bf16; bf16 {
		b.name = "cuda-bf16"
	}
	return b.Plan(), nil
}

// counted is a simulated card whose memory is counted as a card deals it out.
type counted struct {
	*simulated
	c  *counter
	at map[uint64]uint64
}

func (d *counted) alloc(bytes int) (uint64, error) {
	addr, err := d.simulated.alloc(bytes)
	if err == nil {
		d.at[addr], _ = d.c.alloc(bytes)
	}
	return addr, err
}

func (d *counted) free(addr uint64) {
	d.c.free(d.at[addr])
	d.simulated.free(addr)
}

// NewCounted is a simulated card with what its buffers take now, and took at the most since the last call.
func NewCounted(bf16 bool) (b *Backend, taken func() (now, peak int64), err error) {
	s, err := newSimulated()
	if err != nil {
		return nil, nil, err
	}
	c := &counter{live: map[uint64]int{}}
	if b, err = newBackend("cuda-sim", &counted{s, c, map[uint64]uint64{}}); err != nil {
		return nil, nil, err
	}
	b.bf16, b.packAlways = bf16, bf16
	b.packBudget = 0 // what is kept for later is given back when room is wanted
	return b, func() (now, peak int64) {
		b.mu.Lock()
		defer b.mu.Unlock()
		now, peak = int64(c.inUse), int64(c.peak)
		c.peak = c.inUse
		return
	}, nil
}

// BlasWorkspace is what a library of products takes of a card.
const BlasWorkspace = blasWorkspace

// SizeClass is the size in which a card deals out so many bytes.
func SizeClass(bytes int) int { return sizeClass(bytes) }

// Held is what a plan's card would keep of its driver's memory after the same calls, when it is never short of it.
func Held(p backend.Plan) int64 { return int64(p.(*plan).dev.(*counter).held) }

// Joined is n cards whose drivers are stand-ins, joined by one of NCCL. groups tells how many groups of calls it was given.
func Joined(t testing.TB, n int) (devs []backend.Backend, groups func() int) {
	l, all := joined(t, n)
	t.Cleanup(func() {
		for i, f := range l.cards {
			if f.fault != nil {
				t.Errorf("card %d: %v", i, f.fault)
			}
		}
		if l.ended != len(l.devices) {
			t.Errorf("%d of %d communicators were ended", l.ended, len(l.devices))
		}
	})
	return links(all), func() int { return l.groups }
}
