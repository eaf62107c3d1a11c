package main

import (
	"errors"
	"fmt"
	"iter"
)

type Queue[T any] struct {
	items  []T
	onPush func(T)
}

func (q *Queue[T]) Push(vs ...T) *Queue[T] {
	for _, v := range vs {
		q.items = append(q.items, v)
		if q.onPush != nil {
			q.onPush(v)
		}
	}
	return q
}
func (q *Queue[T]) Pop() (v T, err error) {
	if len(q.items) == 0 {
		return v, errors.New("empty queue")
	}
	v, q.items = q.items[0], q.items[1:]
	return v, nil
}
func (q Queue[T]) All() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i, v := range q.items {
			if !yield(i, v) {
				return
			}
		}
	}
}
func main() {
	q := &Queue[rune]{onPush: func(r rune) { fmt.Print(string(r), "! ") }}
	q.Push('a', 'b').Push('c')
	for i, r := range q.All() {
		fmt.Print(i, string(r), " ")
	}
	for range 4 {
		r, err := q.Pop()
		fmt.Print(r, err, " ")
	}
	fmt.Println()

}

// Output:
// a! b! c! 0a 1b 2c 97 <nil> 98 <nil> 99 <nil> 0 empty queue
