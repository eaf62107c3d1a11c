package main

import (
	"errors"
	"fmt"
)

type base struct{ msg string }

func (b base) Error() string { return "base: " + b.msg }

type Derived struct {
	base
	code int
}
type Ptr struct{ *base }

func main() {
	var err error = Derived{base{"x"}, 3}
	fmt.Println(err)
	err = Ptr{&base{"p"}}
	fmt.Println(err)
	var d Derived
	fmt.Println(errors.As(fmt.Errorf("w: %w", Derived{base{"q"}, 7}), &d), d.code)
	fmt.Printf("%v %+v %d\n", d, d, d.code)

}

// Output:
// base: x
// base: p
// true 7
// base: q base: q 7
