package main

import (
	"errors"
	"fmt"
	"time"
)

type P struct {
	X int
	y string
}
type C float64
type L []P
type M map[string]P
type F func(P) C
type I interface{ Do(P) error }
type E struct{}

func (E) Do(P) error { return nil }
func main() {
	var i I = E{}
	for _, v := range []any{P{}, &P{}, C(1), L{}, M{}, F(nil), i, []I{i}, map[C][]*P{}, [2]P{}, make(chan P), struct{ A P }{}, func(P, ...C) (I, error) { return nil, nil }, any(nil), new(I), 'x', "s", 1.5, int8(1), time.Second, errors.New, []any{1}} {
		fmt.Printf("%T\n", v)
	}

}

// Output:
// main.P
// *main.P
// main.C
// main.L
// main.M
// main.F
// main.E
// []main.I
// map[main.C][]*main.P
// [2]main.P
// chan main.P
// struct { A main.P }
// func(main.P, ...main.C) (main.I, error)
// <nil>
// *main.I
// int32
// string
// float64
// int8
// time.Duration
// func(string) error
// []interface {}
