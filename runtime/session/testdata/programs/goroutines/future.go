package main

import (
	"errors"
	"fmt"
	"time"
)

type Future[T any] struct {
	c   chan struct{}
	v   T
	err error
}

func Async[T any](f func() (T, error)) *Future[T] {
	fu := &Future[T]{c: make(chan struct{})}
	go func() { defer close(fu.c); fu.v, fu.err = f() }()
	return fu
}
func (f *Future[T]) Await() (T, error) { <-f.c; return f.v, f.err }
func main() {
	a := Async(func() (int, error) { time.Sleep(time.Millisecond); return 42, nil })
	b := Async(func() (string, error) { return "", errors.New("nope") })
	fmt.Println(a.Await())
	fmt.Println(b.Await())
	fmt.Println(a.Await())

}

// Output:
// 42 <nil>
//  nope
// 42 <nil>
