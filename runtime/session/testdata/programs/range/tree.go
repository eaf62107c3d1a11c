package main

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

type Tree[T cmp.Ordered] struct {
	l, r *Tree[T]
	v    T
}

func (t *Tree[T]) Insert(v T) *Tree[T] {
	if t == nil {
		return &Tree[T]{v: v}
	}
	if v < t.v {
		t.l = t.l.Insert(v)
	} else {
		t.r = t.r.Insert(v)
	}
	return t
}
func (t *Tree[T]) All() iter.Seq[T] { return func(yield func(T) bool) { t.push(yield) } }
func (t *Tree[T]) push(yield func(T) bool) bool {
	if t == nil {
		return true
	}
	return t.l.push(yield) && yield(t.v) && t.r.push(yield)
}
func main() {
	var t *Tree[int]
	for _, v := range []int{5, 2, 8, 1, 9} {
		t = t.Insert(v)
	}
	for v := range t.All() {
		if v > 8 {
			break
		}
		fmt.Print(v, " ")
	}
	fmt.Println(slices.Collect(t.All()))

}

// Output:
// 1 2 5 8 [1 2 5 8 9]
