package cpu

import "testing"

// TestRead sums small whole numbers, whose sum is exact in any order: no element is left out or read twice.
func TestRead(t *testing.T) {
	x := make([]float32, 128*9)
	want := float32(0)
	for i := range x {
		x[i] = float32(i*7%11 - 5)
		want += x[i]
	}
	if got := Read(x); got != want {
		t.Errorf("Read: %v; wanted %v", got, want)
	}
	if got := readSlow(x[:len(x)-3]); got != want-x[len(x)-1]-x[len(x)-2]-x[len(x)-3] {
		t.Errorf("readSlow: %v", got)
	}
	if Read(nil) != 0 {
		t.Error("Read of nothing is not 0")
	}
}

// TestPeaks runs every loop that this processor has: an instruction that it does not know would end the process.
func TestPeaks(t *testing.T) {
	for _, p := range Peaks() {
		if p.Work <= 0 {
			t.Errorf("%s: work %v", p.Name, p.Work)
		}
		p.Loop(1)
		p.Loop(3)
	}
}
