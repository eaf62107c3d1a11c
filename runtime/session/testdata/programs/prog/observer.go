package main

import (
	"fmt"
)

type Subject[T any] struct {
	obs  map[int]func(T)
	next int
}

func (s *Subject[T]) Subscribe(f func(T)) (cancel func()) {
	if s.obs == nil {
		s.obs = make(map[int]func(T))
	}
	id := s.next
	s.next++
	s.obs[id] = f
	return func() { delete(s.obs, id) }
}
func (s *Subject[T]) Notify(v T) {
	for i := 0; i < s.next; i++ {
		if f, ok := s.obs[i]; ok {
			f(v)
		}
	}
}
func main() {
	var s Subject[string]
	c1 := s.Subscribe(func(v string) { fmt.Println("one", v) })
	s.Subscribe(func(v string) { fmt.Println("two", v) })
	s.Notify("a")
	c1()
	s.Notify("b")

}

// Output:
// one a
// two a
// two b
