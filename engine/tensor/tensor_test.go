package tensor

import (
	"math"
	"testing"
)

func TestSize(t *testing.T) {
	if Size() != 1 || Size(3, 0) != 0 || Size(2, 3, 4) != 24 {
		t.Errorf("Size = %d, %d, %d; wanted 1, 0, 24", Size(), Size(3, 0), Size(2, 3, 4))
	}
	defer func() {
		if recover() == nil {
			t.Error("a negative dimension was accepted")
		}
	}()
	Size(2, -1)
}

func TestDType(t *testing.T) {
	if F32.String() != "f32" || I32.String() != "i32" || DType(9).String() != "unknown" || F32.Bytes() != 4 || I32.Bytes() != 4 {
		t.Error("names or sizes of the element types are wrong")
	}
}

// Streams are pure functions of (seed, name): equal ones agree, others do not; seed 0 is a seed like any other.
func TestStreams(t *testing.T) {
	key := func(seed int64, name string) [4]uint64 {
		r := NewRNG(seed, name)
		return [4]uint64{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()}
	}
	seen := map[[4]uint64]string{}
	for _, seed := range []int64{0, 1, -1, 42, math.MaxInt64} {
		for _, name := range []string{"", "a", "b", "order", "take/a"} {
			k := key(seed, name)
			if k != key(seed, name) {
				t.Errorf("seed %d, %q: two streams differ", seed, name)
			}
			if other, ok := seen[k]; ok {
				t.Errorf("seed %d, %q is the stream of %s", seed, name, other)
			}
			seen[k] = name
		}
	}
}

// A chi-squared test of Intn over ten cells, and moments of Float64 and Norm; the bounds are five standard deviations.
func TestDistributions(t *testing.T) {
	const n = 200000
	r := NewRNG(7, "test")
	var cells [10]float64
	var sum, squares, low, high float64
	low, high = 1, 0
	for range n {
		cells[r.Intn(10)]++
		u := r.Float64()
		low, high = min(low, u), max(high, u)
		x := r.Norm()
		sum += x
		squares += x * x
	}
	chi := 0.0
	for _, c := range cells {
		chi += (c - n/10) * (c - n/10) / (n / 10)
	}
	if chi > 9+5*math.Sqrt(18) {
		t.Errorf("Intn: chi-squared %.1f over 9 degrees of freedom", chi)
	}
	if low < 0 || high >= 1 || low > 1e-3 || high < 1-1e-3 {
		t.Errorf("Float64 lies in [%g, %g]; wanted to fill [0, 1)", low, high)
	}
	if mean := sum / n; math.Abs(mean) > 5/math.Sqrt(n) {
		t.Errorf("Norm: mean %g", mean)
	}
	if v := squares / n; math.Abs(v-1) > 5*math.Sqrt(2.0/n) {
		t.Errorf("Norm: variance %g", v)
	}
}

func TestPerm(t *testing.T) {
	r := NewRNG(1, "perm")
	first := [4]int{}
	for range 24000 {
		p := r.Perm(4)
		seen := [4]bool{}
		for _, v := range p {
			seen[v] = true
		}
		if seen != [4]bool{true, true, true, true} {
			t.Fatalf("%v is no permutation", p)
		}
		first[p[0]]++
	}
	for i, c := range first {
		if math.Abs(float64(c)-6000) > 5*math.Sqrt(24000*3.0/16) {
			t.Errorf("%d came first %d times of 24000; wanted about 6000", i, c)
		}
	}
	if len(r.Perm(0)) != 0 {
		t.Error("Perm(0) is not empty")
	}
}

func TestIntnPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Intn(0) returned")
		}
	}()
	NewRNG(0, "").Intn(0)
}
