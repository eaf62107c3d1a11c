package main

import (
	"container/list"
	"container/ring"
	"fmt"
)

func main() {
	l := list.New()
	e4 := l.PushBack(4)
	e1 := l.PushFront(1)
	l.InsertBefore(3, e4)
	l.InsertAfter(2, e1)
	for e := l.Front(); e != nil; e = e.Next() {
		fmt.Print(e.Value, " ")
	}
	type T struct{ n int }
	l.PushBack(T{9})
	if t, ok := l.Back().Value.(T); ok {
		fmt.Print(t.n)
	}
	fmt.Println(l.Len())
	r := ring.New(3)
	for i := range r.Len() {
		r.Value = i
		r = r.Next()
	}
	r.Do(func(x any) { fmt.Print(x, " ") })
	fmt.Println()

}

// Output:
// 1 2 3 4 95
// 0 1 2
