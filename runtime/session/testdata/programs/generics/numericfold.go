package main

import (
	"fmt"
)

type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64
}

func GCD[T Integer](a, b T) T {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
func Abs[T Integer | ~float64](x T) T {
	if x < 0 {
		return -x
	}
	return x
}
func main() {
	fmt.Println(GCD(48, 18), GCD(int8(100), 75), Abs(-3), Abs(-2.5), Abs(int16(-7)))

}

// Output:
// 6 25 3 2.5 7
