package main

import (
	"fmt"
	"math"
)

func main() {
	fmt.Println(math.MaxInt8, math.MinInt16, math.MaxUint8, math.MaxInt32, uint32(math.MaxUint32), int64(math.MinInt64))
	var i32 int32 = math.MaxInt32
	i32++
	var u16 uint16 = 0
	u16--
	var i64 int64 = math.MinInt64
	fmt.Println(i32, u16, -i64, i64-1)
	f := 1e308
	fmt.Println(f*10, -f*10, math.IsInf(f*10, 1), 0.1+0.2, float32(0.1)+float32(0.2), 1e100)
	fmt.Printf("%.3f %g %v %6.1f|%e\n", math.E, 1e21, 1e20, 2.25, 123456.789)
	fmt.Println(int64(1)<<40, uint64(1)<<63, 0xff, 0b11, 0o17, 1_000, 'a', "\t|")
	n := 3
	fmt.Println(n<<2>>1, ^n, -7>>1, -7/2, uint(7)>>1, 10&6, 10|6, 10^6)

}

// Output:
// 127 -32768 255 2147483647 4294967295 -9223372036854775808
// -2147483648 65535 -9223372036854775808 9223372036854775807
// +Inf -Inf true 0.3 0.3 1e+100
// 2.718 1e+21 1e+20    2.2|1.234568e+05
// 1099511627776 9223372036854775808 255 3 15 1000 97 	|
// 6 -4 -4 -3 3 2 14 12
