package weights

import (
	"math"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// unpack returns the numbers that codes and scales stand for, as ref reads them.
func unpack(t *testing.T, codes []int32, scales []float32, n int, q backend.Quant) []float32 {
	t.Helper()
	r := ref.New()
	c, s, y := r.Alloc(tensor.I32, len(codes)), r.Alloc(tensor.F32, len(scales)), r.Alloc(tensor.F32, n)
	r.UploadInts(c, codes)
	r.Upload(s, scales)
	r.Dequantize(y, c, s, n, q)
	out := make([]float32, n)
	if err := r.Download(out, y); err != nil {
		t.Fatal(err)
	}
	return out
}

// What is packed and read back errs by half a step at most, keeps zeros and the largest element, and packs to the same codes
// again.
func TestPack(t *testing.T) {
	rng := tensor.NewRNG(1, "pack")
	for _, q := range backend.Quants {
		for _, n := range []int{0, 1, 32, 33, 100, 4096} {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(rng.Norm())
			}
			if n > 40 {
				clear(x[32:40])
			}
			codes, scales, err := Pack(x, q)
			if err != nil {
				t.Fatal(err)
			}
			y := unpack(t, codes, scales, n, q)
			for i := range x {
				s := math.Abs(float64(x[i])) * 0x1p-8 // what BF16 rounds, in half steps
				if q != backend.BF16 {
					s = float64(scales[i/q.Block()])
				}
				// Half a step, more where a code is cut off at 15 (Q4_0's largest element of the other sign), and the scale's own rounding.
				step := map[backend.Quant]float64{backend.Q8_0: 0.51 + 127*0x1p-11, backend.Q4_0: 1.01, backend.NF4: 0.16, backend.BF16: 1}[q.Layout()] * math.Abs(s)
				if d := math.Abs(float64(x[i] - y[i])); d > step {
					t.Fatalf("%v: element %d of %d is %g, was %g; wanted within %g", q, i, n, y[i], x[i], step)
				}
				if x[i] == 0 && y[i] != 0 {
					t.Fatalf("%v: a zero became %g", q, y[i])
				}
			}
			again, _, err := Pack(y, q)
			if err != nil {
				t.Fatal(err)
			}
			changed := 0
			for i := range codes {
				if codes[i] != again[i] {
					changed++
				}
			}
			if changed > 0 && q == backend.NF4 {
				t.Errorf("%v: %d of %d words change when packed again", q, changed, len(codes))
			}
		}
	}
}

// A level of NF4 is the nearest one.
func TestNF4IsNearest(t *testing.T) {
	levels := backend.NF4.Levels()
	x := make([]float32, 64)
	for i := range x {
		x[i] = -1 + 2*float32(i)/63
	}
	codes, scales, err := Pack(x, backend.NF4)
	if err != nil || scales[0] != 1 {
		t.Fatalf("scale %v, %v; wanted 1", scales, err)
	}
	for i, y := range unpack(t, codes, scales, 64, backend.NF4) {
		for _, l := range levels {
			if math.Abs(float64(l-x[i])) < math.Abs(float64(y-x[i])) {
				t.Errorf("%g became %g; %g is nearer", x[i], y, l)
			}
		}
	}
}

func TestPackRefuses(t *testing.T) {
	for _, q := range backend.Quants {
		for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e30} {
			x := make([]float32, 100)
			x[70] = v
			if v == 1e30 && q == backend.BF16 { // which has the range of float32
				v = math.MaxFloat32
				x[70] = v
			}
			if _, _, err := Pack(x, q); err == nil || !strings.Contains(err.Error(), "element 70") {
				t.Errorf("%v of %g: %v", q, v, err)
			}
		}
	}
}
