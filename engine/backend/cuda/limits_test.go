package cuda

import (
	"math"
	"testing"
)

// TestLimits: cards have the figures of their data sheets, in TB/s and TFLOP/s.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		card              Card
		memory, f32, bf16 float64
	}{
		{Card{Name: "NVIDIA H100 80GB HBM3", Major: 9, Processors: 132, ClockMHz: 1980, MemoryMHz: 2619, BusBits: 5120}, 3.35, 67, 989},
		{Card{Name: "NVIDIA H100 PCIe", Major: 9, Processors: 114, ClockMHz: 1755, MemoryMHz: 1593, BusBits: 5120}, 2.04, 51, 756},
		{Card{Name: "NVIDIA A100-SXM4-80GB", Major: 8, Processors: 108, ClockMHz: 1410, MemoryMHz: 1593, BusBits: 5120}, 2.04, 19.5, 312},
		{Card{Name: "NVIDIA L4", Major: 8, Minor: 9, Processors: 58, ClockMHz: 2040, MemoryMHz: 6251, BusBits: 192}, 0.3, 30.3, 121},
		{Card{Name: "NVIDIA GeForce RTX 4090", Major: 8, Minor: 9, Processors: 128, ClockMHz: 2520, MemoryMHz: 10501, BusBits: 384}, 1.01, 82.6, 165},
		{Card{Name: "NVIDIA GeForce RTX 3090", Major: 8, Minor: 6, Processors: 82, ClockMHz: 1695, MemoryMHz: 9751, BusBits: 384}, 0.936, 35.6, 71},
		{Card{Name: "a card to come", Major: 13, Processors: 100, ClockMHz: 2000, MemoryMHz: 1000, BusBits: 1000}, 0.25, 0, 0},
		{Card{Name: "NVIDIA L4", Major: 8, Minor: 9, Processors: 58}, 0, 0, 0}, // a driver that names no clocks
	} {
		l := c.card.Limits()
		for _, v := range [][2]float64{{l.Bytes, c.memory}, {l.F32, c.f32}, {l.BF16, c.bf16}} {
			if math.Abs(v[0]/1e12-v[1]) > 0.012*v[1] {
				t.Errorf("%s: %+v; wanted %v TB/s, %v and %v TFLOP/s", c.card.Name, l, c.memory, c.f32, c.bf16)
				break
			}
		}
	}
}

// TestClocks: a card says its clocks where the driver does, and is a card where it does not.
func TestClocks(t *testing.T) {
	table := newFake().table()
	known := table.DeviceAttribute
	for _, refuses := range []bool{false, true} {
		table.DeviceAttribute = func(v *int32, a, dev int32) int32 {
			if mhz, ok := map[int32]int32{attributeClock: 1980000, attributeMemoryClock: 2619000, attributeBusWidth: 5120}[a]; ok {
				*v = mhz
				if refuses {
					return 1
				}
				return 0
			}
			return known(v, a, dev)
		}
		all, err := table.cards()
		if err != nil {
			t.Fatal(err)
		}
		want := Card{ClockMHz: 1980, MemoryMHz: 2619, BusBits: 5120}
		if refuses {
			want = Card{}
		}
		if c := all[0]; c.ClockMHz != want.ClockMHz || c.MemoryMHz != want.MemoryMHz || c.BusBits != want.BusBits {
			t.Errorf("refuses %v: %+v", refuses, c)
		}
	}
	if c, ok := fakeBackend(t, newFake()).Card(); !ok || c.Name != "Fake 1" {
		t.Errorf("%+v, %v", c, ok)
	}
	if b, err := NewSim(); err != nil {
		t.Fatal(err)
	} else if _, ok := b.Card(); ok {
		t.Error("a simulated card is a card")
	}
}
