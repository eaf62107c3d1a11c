package main

import (
	"fmt"
	"maps"
	"slices"
)

type Set[T comparable] struct{ m map[T]bool }

func New[T comparable](xs ...T) Set[T] {
	s := Set[T]{make(map[T]bool)}
	for _, x := range xs {
		s.m[x] = true
	}
	return s
}
func (s Set[T]) Has(x T) bool { return s.m[x] }
func Intersect[T comparable](a, b Set[T]) Set[T] {
	r := New[T]()
	for x := range a.m {
		if b.Has(x) {
			r.m[x] = true
		}
	}
	return r
}
func main() {
	i := Intersect(New(1, 2, 3), New(2, 3, 4))
	fmt.Println(len(i.m), i.Has(2), i.Has(1), slices.Sorted(maps.Keys(i.m)))

}

// Output:
// 2 true false [2 3]
