package main

import (
	"fmt"
	"strings"
)

type List[T any] struct {
	head *elem[T]
	n    int
}
type elem[T any] struct {
	v    T
	next *elem[T]
}

func (l *List[T]) Push(v T) { l.head = &elem[T]{v, l.head}; l.n++ }
func (l *List[T]) Each(f func(T)) {
	for e := l.head; e != nil; e = e.next {
		f(e.v)
	}
}
func main() {
	var l List[string]
	for _, s := range strings.Fields("the quick fox") {
		l.Push(s)
	}
	l.Each(func(s string) { fmt.Print(s, ",") })
	fmt.Println(l.n)

}

// Output:
// fox,quick,the,3
