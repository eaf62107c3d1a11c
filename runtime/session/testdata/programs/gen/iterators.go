package main

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
)

func Take[V any](s iter.Seq[V], n int) iter.Seq[V] {
	return func(yield func(V) bool) {
		if n <= 0 {
			return
		}
		i := 0
		for v := range s {
			if !yield(v) {
				return
			}
			if i++; i >= n {
				return
			}
		}
	}
}
func Naturals() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
}
func Enumerate[V any](s iter.Seq[V]) iter.Seq2[int, V] {
	return func(yield func(int, V) bool) {
		i := 0
		for v := range s {
			if !yield(i, v) {
				return
			}
			i++
		}
	}
}
func Fold[V, A any](s iter.Seq[V], a A, f func(A, V) A) A {
	for v := range s {
		a = f(a, v)
	}
	return a
}
func Chain[V any](ss ...iter.Seq[V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, s := range ss {
			for v := range s {
				if !yield(v) {
					return
				}
			}
		}
	}
}
func main() {
	fmt.Println(slices.Collect(Take(Naturals(), 5)))
	for i, v := range Enumerate(Take(slices.Values([]string{"x", "y", "z"}), 2)) {
		fmt.Print(i, v, " ")
	}
	fmt.Println(Fold(Take(Naturals(), 5), "", func(a string, v int) string { return a + strconv.Itoa(v) }))
	fmt.Println(slices.Sorted(Chain(slices.Values([]int{3, 1}), Take(Naturals(), 2))))
	next, stop := iter.Pull2(Enumerate(slices.Values([]string{"p", "q"})))
	for {
		i, v, ok := next()
		if !ok {
			break
		}
		fmt.Print(i, v, ";")
	}
	stop()
	fmt.Println()

}

// Output:
// [0 1 2 3 4]
// 0x 1y 01234
// [0 1 1 3]
// 0p;1q;
