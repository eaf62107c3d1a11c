package main

import (
	"fmt"
)

type Stack[T any] struct{ items []T }

func NewStack[T any](xs ...T) *Stack[T] { return &Stack[T]{items: xs} }
func (s *Stack[T]) Push(x T)            { s.items = append(s.items, x) }
func (s *Stack[T]) Pop() (T, bool) {
	var zero T
	if len(s.items) == 0 {
		return zero, false
	}
	x := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return x, true
}
func (s Stack[T]) Len() int { return len(s.items) }
func main() {
	s := NewStack(1, 2)
	s.Push(3)
	for {
		x, ok := s.Pop()
		if !ok {
			break
		}
		fmt.Print(x, " ")
	}
	fmt.Println(s.Len())
	q := Stack[string]{}
	q.Push("x")
	fmt.Println(q.Pop())
	fmt.Println(q.Pop())

}

// Output:
// 3 2 1 0
// x true
//  false
