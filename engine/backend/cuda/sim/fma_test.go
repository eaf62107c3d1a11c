package sim

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestFMA holds both ways of a·b + c to the exact value, rounded once.
func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a, b, c, got, other [32]uint32
	for n := range 20000 {
		for l := range 32 {
			a[l], b[l] = bits32(float32(r.NormFloat64())), bits32(float32(r.NormFloat64()))
			x := float64(float32of(a[l])) * float64(float32of(b[l]))
			switch l % 4 {
			case 0:
				c[l] = bits32(float32(r.NormFloat64()))
			case 1: // much is lost
				c[l] = bits32(float32(-x))
			case 2: // a product that lies just beside the middle of two floats
				c[l] = bits32(float32(math.Ldexp(x, 24+r.IntN(8))))
			case 3:
				c[l] = bits32(float32(math.Ldexp(x, r.IntN(80)-40)))
			}
		}
		fmaGeneric(&got, &a, &b, &c)
		fmaLanes(&other, &a, &b, &c)
		for l := range 32 {
			x, y, z := big.NewFloat(float64(float32of(a[l]))), big.NewFloat(float64(float32of(b[l]))), big.NewFloat(float64(float32of(c[l])))
			x.SetPrec(200)
			exact, _ := x.Add(x.Mul(x, y), z).Float32()
			if w := bits32(exact); got[l] != w && exact != 0 || other[l] != got[l] {
				t.Fatalf("round %d: %x·%x + %x = %x and %x; wanted %x", n, a[l], b[l], c[l], got[l], other[l], w)
			}
		}
	}
	for _, v := range [][3]float64{{math.Inf(1), 1, math.Inf(-1)}, {math.NaN(), 1, 1}, {math.Inf(1), 1, 1}, {0, 1, 0}} {
		if f := fma32(bits32(float32(v[0])), bits32(float32(v[1])), bits32(float32(v[2]))); !same(float32of(f), float32(math.FMA(v[0], v[1], v[2]))) {
			t.Errorf("%v: %v", v, float32of(f))
		}
	}
}

func same(a, b float32) bool { return a == b || a != a && b != b }
