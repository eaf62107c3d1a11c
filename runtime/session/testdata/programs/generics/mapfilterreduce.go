package main

import (
	"fmt"
	"strings"
)

func Map[T, U any](xs []T, f func(T) U) []U {
	out := make([]U, 0, len(xs))
	for _, x := range xs {
		out = append(out, f(x))
	}
	return out
}
func Filter[T any](xs []T, f func(T) bool) []T {
	var out []T
	for _, x := range xs {
		if f(x) {
			out = append(out, x)
		}
	}
	return out
}
func Reduce[T, A any](xs []T, a A, f func(A, T) A) A {
	for _, x := range xs {
		a = f(a, x)
	}
	return a
}
func main() {
	xs := []int{1, 2, 3, 4}
	fmt.Println(Map(xs, func(i int) string { return strings.Repeat("*", i) }), Filter(xs, func(i int) bool { return i > 2 }), Reduce(xs, 0.5, func(a float64, x int) float64 { return a + float64(x) }))
	fmt.Println(Map[int, bool](xs, func(i int) bool { return i%2 == 0 }))

}

// Output:
// [* ** *** ****] [3 4] 10.5
// [false true false true]
