package main

import (
	"fmt"
	"math"
)

const big = 1 << 62
const huge = big * 4 / 8
const x = 'a' + 1
const f = 1 / 3.0
const s = "con" + "cat"

func main() {
	var u8 uint8 = x
	fmt.Println(huge, x, u8, f, s, len(s), big>>60)
	fmt.Printf("%T %T %T %T\n", x, f, huge, 2i)
	var r rune = 'é'
	fmt.Println(r, string(r), 7/2, 7/2.0, 7%3, -7/2, -7%3, 1<<3|1, 6&^2)
	fmt.Println(math.MaxInt64, uint64(math.MaxUint64), math.MaxInt8, math.Pi)
	var f32 float32 = 0.1
	fmt.Println(f32, float64(f32), f32*3)

}

// Output:
// 2305843009213693952 98 98 0.3333333333333333 concat 6 4
// int32 float64 int complex128
// 233 é 3 3.5 1 -3 -1 9 4
// 9223372036854775807 18446744073709551615 127 3.141592653589793
// 0.1 0.10000000149011612 0.3
