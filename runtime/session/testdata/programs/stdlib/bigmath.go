package main

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/cmplx"
)

func main() {
	a, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	b := big.NewInt(987654321)
	fmt.Println(new(big.Int).Mul(a, b), new(big.Int).Mod(a, b), a.Cmp(b), a.BitLen())
	f := new(big.Float).SetPrec(100).SetFloat64(1.5)
	fmt.Println(f.Text('g', 10))
	r := big.NewRat(3, 6)
	r.Add(r, big.NewRat(1, 3))
	fmt.Println(r, r.FloatString(3))
	fmt.Println(bits.TrailingZeros(8), bits.Reverse8(1), bits.RotateLeft8(0x81, 1), math.Float64bits(1), math.Cbrt(27), math.Log2(8), math.Atan2(1, 1) == math.Pi/4)
	c := complex(3, -4)
	fmt.Println(real(c), imag(c), cmplx.Abs(c), c*c, c == complex(3, -4))
	fmt.Printf("%.1f\n", cmplx.Sqrt(-1))
	fmt.Println(math.Signbit(-0.0), math.Copysign(2, -1), math.IsNaN(math.Sqrt(-1)), math.MaxFloat32, math.Ceil(1.2), math.Abs(-3))

}

// Output:
// 121932631124828532112482853211126352690 574845669 1 97
// 1.5
// 5/6 0.833
// 3 128 3 4607182418800017408 3 3 true
// 3 -4 5 (-7-24i) true
// (0.0+1.0i)
// false -2 true 3.4028234663852886e+38 2 3
