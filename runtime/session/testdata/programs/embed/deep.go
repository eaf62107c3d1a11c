package main

import (
	"fmt"
)

type A struct{ id int }

func (a A) ID() int      { return a.id }
func (a *A) SetID(i int) { a.id = i }
func (a A) Who() string  { return "A" }

type B struct {
	A
	name string
}

func (b B) Who() string { return "B(" + b.A.Who() + ")" }

type C struct {
	*B
	extra bool
}
type Ider interface {
	ID() int
	SetID(int)
}
type Whoer interface{ Who() string }

func main() {
	c := &C{B: &B{A{1}, "n"}}
	c.SetID(5)
	fmt.Println(c.ID(), c.id, c.B.A.id, c.Who(), c.name)
	var i Ider = c
	i.SetID(9)
	fmt.Println(i.ID(), c.ID())
	i = c.B
	fmt.Println(i.ID())
	for _, w := range []Whoer{A{}, B{}, *c, c} {
		fmt.Println(w.Who())
	}
	f := c.ID
	c.SetID(10)
	g := c.SetID
	g(11)
	fmt.Println(f(), c.ID(), C.ID(*c), (*C).Who(c))
	_, ok := i.(Whoer)
	fmt.Println(ok)

}

// Output:
// 5 5 5 B(A) n
// 9 9
// 9
// A
// B(A)
// B(A)
// B(A)
// 9 11 11 B(A)
// true
