package main

import (
	"fmt"
)

type Limiter struct{ tokens chan struct{} }

func NewLimiter(n int) *Limiter {
	l := &Limiter{make(chan struct{}, n)}
	for range n {
		l.tokens <- struct{}{}
	}
	return l
}
func (l *Limiter) Try() bool {
	select {
	case <-l.tokens:
		return true
	default:
		return false
	}
}
func (l *Limiter) Release() {
	select {
	case l.tokens <- struct{}{}:
	default:
	}
}
func main() {
	l := NewLimiter(2)
	fmt.Println(l.Try(), l.Try(), l.Try())
	l.Release()
	fmt.Println(l.Try(), l.Try())

}

// Output:
// true true false
// true false
