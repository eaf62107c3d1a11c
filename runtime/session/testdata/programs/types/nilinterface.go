package main

import (
	"fmt"
)

type E struct{}

func (*E) Error() string { return "E" }
func f(fail bool) error {
	var e *E
	if fail {
		e = &E{}
	}
	return e
}
func g() error { return nil }
func main() {
	fmt.Println(f(false) == nil, f(true) != nil, g() == nil)
	var x any
	fmt.Println(x == nil, x)
	var p *int
	x = p
	fmt.Println(x == nil, x)

}

// Output:
// false true true
// true <nil>
// false <nil>
