package main

import (
	"fmt"
	"strconv"
	"strings"
)

type Expr interface {
	String() string
	Simplify() Expr
}
type Lit int
type Neg struct{ X Expr }
type Sum []Expr
type Call struct {
	F    string
	Args []Expr
}

func (l Lit) String() string { return strconv.Itoa(int(l)) }
func (l Lit) Simplify() Expr { return l }
func (n Neg) String() string { return "-(" + n.X.String() + ")" }
func (n Neg) Simplify() Expr {
	switch x := n.X.Simplify().(type) {
	case Lit:
		return -x
	case Neg:
		return x.X
	default:
		return Neg{x}
	}
}
func (s Sum) String() string {
	var p []string
	for _, e := range s {
		p = append(p, e.String())
	}
	return strings.Join(p, "+")
}
func (s Sum) Simplify() Expr {
	var t Lit
	var rest Sum
	for _, e := range s {
		if l, ok := e.Simplify().(Lit); ok {
			t += l
		} else {
			rest = append(rest, e.Simplify())
		}
	}
	if len(rest) == 0 {
		return t
	}
	return append(rest, t)
}
func (c *Call) String() string { return c.F + "(" + Sum(c.Args).String() + ")" }
func (c *Call) Simplify() Expr {
	out := &Call{F: c.F}
	for _, a := range c.Args {
		out.Args = append(out.Args, a.Simplify())
	}
	return out
}
func main() {
	e := Sum{Lit(1), Neg{Neg{Lit(3)}}, Neg{Lit(2)}, &Call{"f", []Expr{Sum{Lit(1), Lit(1)}, Neg{&Call{F: "g"}}}}}
	fmt.Println(e, "=>", e.Simplify())
	fmt.Printf("%v %T %T\n", e.Simplify().Simplify(), e.Simplify(), Neg{Lit(4)}.Simplify())

}

// Output:
// 1+-(-(3))+-(2)+f(1+1+-(g())) => f(2+-(g()))+2
// f(2+-(g()))+2 main.Sum main.Lit
