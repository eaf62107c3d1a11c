package main

import (
	"fmt"
	"strconv"
)

type Node interface{ Accept(Visitor) any }
type Visitor interface {
	VisitNum(*Num) any
	VisitAdd(*Add) any
}
type Num struct{ V int }
type Add struct{ L, R Node }

func (n *Num) Accept(v Visitor) any { return v.VisitNum(n) }
func (a *Add) Accept(v Visitor) any { return v.VisitAdd(a) }

type evalV struct{}

func (evalV) VisitNum(n *Num) any   { return n.V }
func (e evalV) VisitAdd(a *Add) any { return a.L.Accept(e).(int) + a.R.Accept(e).(int) }

type showV struct{ depth int }

func (s *showV) VisitNum(n *Num) any { return strconv.Itoa(n.V) }
func (s *showV) VisitAdd(a *Add) any {
	s.depth++
	return "(" + a.L.Accept(s).(string) + "+" + a.R.Accept(s).(string) + ")"
}
func main() {
	t := &Add{&Num{1}, &Add{&Num{2}, &Num{3}}}
	s := &showV{}
	fmt.Println(t.Accept(evalV{}), t.Accept(s), s.depth)

}

// Output:
// 6 (1+(2+3)) 2
