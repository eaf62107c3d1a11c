package main

import (
	"fmt"
)

type Base struct{}

func (Base) Hello() string   { return "base" }
func (b Base) Greet() string { return "greet " + b.Hello() }

type Derived struct{ Base }

func (Derived) Hello() string { return "derived" }
func main() {
	d := Derived{}
	fmt.Println(d.Hello(), d.Greet(), d.Base.Hello())

}

// Output:
// derived greet base base
