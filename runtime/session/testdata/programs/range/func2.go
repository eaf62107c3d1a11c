package main

import (
	"fmt"
	"iter"
)

func enumerate[T any](xs []T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i, x := range xs {
			if !yield(i, x) {
				return
			}
		}
	}
}
func main() {
	for i, s := range enumerate([]string{"x", "y"}) {
		fmt.Println(i, s)
	}
	for i := range enumerate([]float64{1, 2}) {
		fmt.Println(i)
	}

}

// Output:
// 0 x
// 1 y
// 0
// 1
