package main

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/cmplx"
	"math/rand"
	"strconv"
)

func main() {
	fmt.Println(math.Sqrt(2), math.Floor(-1.5), math.Inf(1), math.NaN(), math.MaxInt32, math.Round(2.5), math.Trunc(-2.7), math.Mod(7, 3), math.Hypot(3, 4), math.Pow(2, 10))
	a := big.NewInt(1)
	for i := int64(1); i <= 25; i++ {
		a.Mul(a, big.NewInt(i))
	}
	fmt.Println(a, bits.OnesCount(255), bits.Len(8), cmplx.Abs(3+4i))
	x := new(big.Int).Exp(big.NewInt(2), big.NewInt(100), nil)
	fmt.Println(x.String(), x.Cmp(a))
	rng := rand.New(rand.NewSource(1))
	fmt.Println(rng.Intn(100), rng.Intn(100), rng.Perm(4))
	n, err := strconv.ParseInt("ff", 16, 64)
	fmt.Println(n, err)
	f, err := strconv.ParseFloat("x", 64)
	fmt.Println(f, err)
	fmt.Println(strconv.Quote("a\n"), strconv.FormatInt(-255, 2), strconv.AppendInt(nil, 5, 10))

}

// Output:
// 1.4142135623730951 -2 +Inf NaN 2147483647 3 -2 1 5 1024
// 15511210043330985984000000 8 4 5
// 1267650600228229401496703205376 1
// 81 87 [0 2 3 1]
// 255 <nil>
// 0 strconv.ParseFloat: parsing "x": invalid syntax
// "a\n" -11111111 [53]
