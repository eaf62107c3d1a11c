package main

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
)

func filter[V any](f func(V) bool, s iter.Seq[V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for v := range s {
			if f(v) && !yield(v) {
				return
			}
		}
	}
}
func mapped[V, W any](f func(V) W, s iter.Seq[V]) iter.Seq[W] {
	return func(yield func(W) bool) {
		for v := range s {
			if !yield(f(v)) {
				return
			}
		}
	}
}
func main() {
	even := filter(func(i int) bool { return i%2 == 0 }, slices.Values([]int{1, 2, 3, 4, 5, 6}))
	fmt.Println(slices.Collect(mapped(func(i int) string { return strconv.Itoa(i * i) }, even)))

}

// Output:
// [4 16 36]
