package main

import (
	"fmt"
	"strings"
)

type Acc struct {
	Add func(int)
	Get func() int
}

func NewAcc() Acc { t := 0; return Acc{func(n int) { t += n }, func() int { return t }} }

type Handler func(string) string
type Middleware func(Handler) Handler

func Chain(h Handler, ms ...Middleware) Handler {
	for i := len(ms) - 1; i >= 0; i-- {
		h = ms[i](h)
	}
	return h
}
func main() {
	a, b := NewAcc(), NewAcc()
	a.Add(3)
	a.Add(4)
	b.Add(1)
	fmt.Println(a.Get(), b.Get())
	tag := func(n string) Middleware {
		return func(h Handler) Handler { return func(s string) string { return "<" + n + ">" + h(s) + "</" + n + ">" } }
	}
	fmt.Println(Chain(strings.ToUpper, tag("a"), tag("b"))("x"))

}

// Output:
// 7 1
// <a><b>X</b></a>
