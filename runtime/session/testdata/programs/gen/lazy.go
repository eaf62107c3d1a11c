package main

import (
	"fmt"
	"sync"
)

type Lazy[T any] struct {
	once sync.Once
	f    func() T
	v    T
}

func NewLazy[T any](f func() T) *Lazy[T] { return &Lazy[T]{f: f} }
func (l *Lazy[T]) Get() T                { l.once.Do(func() { l.v = l.f() }); return l.v }

type Event[T any] struct{ handlers []func(T) }

func (e *Event[T]) Add(h func(T)) { e.handlers = append(e.handlers, h) }
func (e *Event[T]) Fire(v T) {
	for _, h := range e.handlers {
		h(v)
	}
}
func main() {
	n := 0
	l := NewLazy(func() []int { n++; return []int{n} })
	fmt.Println(l.Get(), l.Get(), n)
	var e Event[map[string]int]
	e.Add(func(m map[string]int) { m["a"]++ })
	m := map[string]int{}
	e.Fire(m)
	e.Fire(m)
	fmt.Println(m)

}

// Output:
// [1] [1] 1
// map[a:2]
