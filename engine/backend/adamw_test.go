package backend

import (
	"math"
	"sort"
	"testing"
)

func TestCode8(t *testing.T) {
	for _, c := range []*Code8{Signed8, Unsigned8} {
		for i := range c.Values {
			if i > 0 && c.Values[i] <= c.Values[i-1] {
				t.Fatalf("values %d and %d: %g, %g", i-1, i, c.Values[i-1], c.Values[i])
			}
			if got := c.Nearest(float64(c.Values[i])*3, 3); int(got) != i {
				t.Errorf("value %d (%g) is read back as %d", i, c.Values[i], got)
			}
		}
	}
	for _, c := range []*Code8{Signed8, Unsigned8} {
		search := func(f float32) uint8 { return uint8(sort.Search(255, func(i int) bool { return !(f > c.Middle[i]) })) }
		try := func(f float32) {
			if got := c.Nearest(float64(f), 1); got != search(f) {
				t.Errorf("%g has code %d; wanted %d", f, got, search(f))
			}
		}
		for _, m := range c.Middle {
			try(m)
			try(math.Nextafter32(m, 2))
			try(math.Nextafter32(m, -2))
		}
		for i := range uint32(1 << 15) {
			try(math.Float32frombits(i << 17))
			try(math.Float32frombits(i<<17 | 0x1ffff))
			try(math.Float32frombits(i<<17 | MomentNoise(1, int(i))&0x1ffff))
		}
	}
	if Signed8.Values[255] != 1 || Unsigned8.Values[0] != 0 || Signed8.Nearest(0, 0) != Signed8.Zero || Signed8.Values[Signed8.Zero] != 0 {
		t.Error("the ends of the code")
	}
	if NearestSecond(1e-20, 1) != 1 || NearestSecond(0, 1) != 0 || NearestSecond(1, 1) != 255 {
		t.Error("second moments above zero stay above zero, and zero stays zero")
	}
}

// The mean over all noise is the number itself, and a number that bfloat16 holds stays what it is.
func TestStochasticBF16(t *testing.T) {
	for _, v := range []float32{0, 1, -1, 1.001, -0.99901, 3e-39, 1e-45, 6.0001e30, -1234.567} {
		sum, low, high := 0.0, math.Inf(1), math.Inf(-1)
		for noise := range uint32(1 << 16) {
			x := float64(math.Float32frombits(uint32(StochasticBF16(v, noise)) << 16))
			sum, low, high = sum+x, min(low, x), max(high, x)
		}
		if mean := sum / (1 << 16); math.Abs(mean-float64(v)) > 1e-12*math.Abs(float64(v)) {
			t.Errorf("%g is %g in the mean", v, mean)
		}
		exact := math.Float32bits(v)&0xffff == 0
		if exact && low != high || !exact && (low > float64(v) || high < float64(v) || low == high) {
			t.Errorf("%g goes to %g … %g", v, low, high)
		}
	}
	for _, v := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		got := float64(math.Float32frombits(uint32(StochasticBF16(float32(v), 0xffff)) << 16))
		if got != v && v == v || v != v && got == got {
			t.Errorf("%g becomes %g", v, got)
		}
	}
	if got := StochasticBF16(math.Float32frombits(0x7f800001), 0); got != 0x7fc0 {
		t.Errorf("a NaN whose upper half is infinity's becomes %#x", got)
	}
}

// The noise of neighbours, of successive steps and of both moments has the mean and the independence of chance.
func TestMomentNoise(t *testing.T) {
	const n = 1 << 14
	for name, f := range map[string]func(i int) (a, b float64){
		"neighbours": func(i int) (a, b float64) { return low(MomentNoise(3, i)), low(MomentNoise(3, i+1)) },
		"steps":      func(i int) (a, b float64) { return low(MomentNoise(i, 77)), low(MomentNoise(i+1, 77)) },
		"moments":    func(i int) (a, b float64) { x := MomentNoise(5, i); return low(x), low(x >> 16) },
	} {
		var sum, product float64
		for i := range n {
			a, b := f(i)
			sum, product = sum+a, product+a*b
		}
		if limit := 4 / math.Sqrt(12*n); math.Abs(sum/n) > limit || math.Abs(product/n) > limit {
			t.Errorf("%s: mean %g, product %g; wanted less than %g", name, sum/n, product/n, limit)
		}
	}
}

// low is the lower half as a number around 0.
func low(x uint32) float64 { return float64(x&0xffff)/(1<<16) - 0.5 }

func TestMomentSizes(t *testing.T) {
	for _, c := range []struct {
		form  MomentForm
		n     int
		bytes int64
	}{{MomentsF32, 5000, 40000}, {MomentsBF16, 5001, 8 * 2501}, {Moments8, 5001, 8 * (1251 + 20)}, {Moments8, 4095, 8 * 4095}, {Moments8, 4096, 8 * (1024 + 16)}, {MomentsF32, 0, 0}} {
		if got := c.form.Bytes(c.n); got != c.bytes {
			t.Errorf("%s moments of %d elements take %d bytes; wanted %d", c.form, c.n, got, c.bytes)
		}
	}
}
