package main

import (
	"fmt"
	"maps"
	"slices"
)

type Set[T comparable] map[T]struct{}

func Of[T comparable](xs ...T) Set[T] {
	s := Set[T]{}
	for _, x := range xs {
		s.Add(x)
	}
	return s
}
func (s Set[T]) Add(x T)      { s[x] = struct{}{} }
func (s Set[T]) Has(x T) bool { _, ok := s[x]; return ok }
func (s Set[T]) Union(o Set[T]) Set[T] {
	r := Of[T]()
	for x := range s {
		r.Add(x)
	}
	for x := range o {
		r.Add(x)
	}
	return r
}
func main() {
	a, b := Of(1, 2), Of(2, 3)
	u := a.Union(b)
	fmt.Println(len(u), u.Has(3), u.Has(9), a.Has(3))
	fmt.Println(slices.Sorted(maps.Keys(u)))

}

// Output:
// 3 true false false
// [1 2 3]
