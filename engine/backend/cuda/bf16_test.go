package cuda

import (
	"fmt"
	"math"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// bf16Sim is a simulated card whose products all go to tensor cores.
func bf16Sim(t testing.TB, dev device) *Backend {
	t.Helper()
	b, err := newBackend("cuda-sim", dev)
	if err != nil {
		t.Fatal(err)
	}
	b.bf16, b.packAlways = true, true
	return b
}

// rounded are normal numbers that bf16 holds exactly, so that a product of them owes nothing to rounding.
func rounded(r *tensor.RNG, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(math.Float32bits(float32(r.Norm())) &^ 0xffff)
	}
	return x
}

// bf16Products compares products on tensor cores with ref and returns the first difference.
func bf16Products(b *Backend, shapes [][3]int) error {
	r, want := tensor.NewRNG(3, "bf16"), ref.New()
	for i, s := range shapes {
		for op, name := range map[backend.MatOp]string{backend.NT: "NT", backend.NN: "NN", backend.TN: "TN"} {
			m, n, k := s[0], s[1], s[2]
			a, bb, c := rounded(r, m*k), rounded(r, n*k), rounded(r, m*n)
			alpha, beta := float32(1), float32(0)
			if i%2 == 1 {
				alpha, beta = 0.5, -2
			}
			var results [2][]float32
			for j, dev := range []backend.Backend{b, want} {
				buf := func(x []float32) backend.Buffer {
					y := dev.AllocUninit(tensor.F32, len(x))
					dev.Upload(y, x)
					return y
				}
				x, y, z := buf(a), buf(bb), buf(c)
				dev.MatMul(z, x, y, m, n, k, op, alpha, beta)
				results[j] = make([]float32, m*n)
				if err := dev.Download(results[j], z); err != nil {
					return err
				}
			}
			for j, v := range results[1] {
				// A card's tensor cores cut sums off where float32 would round them.
				if d := math.Abs(float64(results[0][j] - v)); !(d <= 1e-5*(math.Abs(float64(v))+math.Sqrt(float64(k)))) {
					return fmt.Errorf("%s %d×%d×%d: element %d is %v; wanted %v", name, m, n, k, j, results[0][j], v)
				}
			}
		}
	}
	return nil
}

var bf16Shapes = [][3]int{{1, 1, 1}, {7, 33, 31}, {65, 64, 64}, {64, 130, 33}, {67, 70, 300}}

// TestBF16Products: where bf16 holds the operands, tensor cores lose nothing else.
func TestBF16Products(t *testing.T) {
	dev, err := newSimulated()
	if err != nil {
		t.Fatal(err)
	}
	if err := bf16Products(bf16Sim(t, dev), bf16Shapes); err != nil {
		t.Error(err)
	}
}

// TestBF16Rounds: operands are rounded to the nearest bf16, small products are not.
func TestBF16Rounds(t *testing.T) {
	dev, err := newSimulated()
	if err != nil {
		t.Fatal(err)
	}
	b := bf16Sim(t, dev)
	x, y, z := b.Alloc(tensor.F32, 1), b.Alloc(tensor.F32, 1), b.Alloc(tensor.F32, 1)
	b.Upload(x, []float32{1 + 1.0/300})
	b.Upload(y, []float32{1})
	for _, c := range []struct {
		always bool
		want   float32
	}{{true, 1}, {false, 1 + 1.0/300}} {
		b.packAlways = c.always
		b.MatMul(z, x, y, 1, 1, 1, backend.NT, 1, 0)
		got := make([]float32, 1)
		if err := b.Download(got, z); err != nil || got[0] != c.want {
			t.Errorf("packed always %v: %v, %v; wanted %v", c.always, got[0], err, c.want)
		}
	}
}
