package main

import (
	"fmt"
)

type List[T any] []T

func (l List[T]) Map(f func(T) T) List[T] {
	out := make(List[T], len(l))
	for i, v := range l {
		out[i] = f(v)
	}
	return out
}
func (l *List[T]) Push(v T) { *l = append(*l, v) }
func (l List[T]) Each(f func(int, T)) {
	for i, v := range l {
		f(i, v)
	}
}
func main() {
	l := List[int]{1, 2}
	l.Push(3)
	l.Map(func(i int) int { return i * i }).Each(func(i, v int) { fmt.Print(i, ":", v, " ") })
	fmt.Printf("%T %v\n", l, l)

}

// Output:
// 0:1 1:4 2:9 main.List[int] [1 2 3]
