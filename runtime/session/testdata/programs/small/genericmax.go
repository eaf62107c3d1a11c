package main

import (
	"cmp"
	"fmt"
)

func Max[T cmp.Ordered](first T, rest ...T) T {
	for _, r := range rest {
		if r > first {
			first = r
		}
	}
	return first
}
func Ptr[T any](v T) *T { return &v }
func SumMap[K comparable, V int | float64](m map[K]V) (s V) {
	for _, v := range m {
		s += v
	}
	return
}
func main() {
	fmt.Println(Max(1, 5, 3), Max("a"), Max(1.5, 0.5), *Ptr("p"), SumMap(map[string]float64{"a": 1.5, "b": 2}))

}

// Output:
// 5 a 1.5 p 3.5
