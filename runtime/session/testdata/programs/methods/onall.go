package main

import (
	"fmt"
)

type Ints []int

func (x Ints) Sum() (s int) {
	for _, v := range x {
		s += v
	}
	return
}
func (x *Ints) Add(v ...int) { *x = append(*x, v...) }

type Set map[string]bool

func (s Set) Add(k string) Set { s[k] = true; return s }

type Fn func(int) int

func (f Fn) Twice(x int) int { return f(f(x)) }

type Ch chan int

func (c Ch) Send(v int) { c <- v }

type Arr [3]int

func (a Arr) Max() int { return max(a[0], a[1], a[2]) }
func (a *Arr) Zero()   { *a = Arr{} }

type Str string

func (s Str) Len() int         { return len(s) }
func (s *Str) Append(t string) { *s += Str(t) }

type B bool

func (b B) Not() B { return !b }

type PtrTo *int

func main() {
	x := Ints{1, 2}
	x.Add(3, 4)
	fmt.Println(x.Sum(), len(x), Ints([]int{5}).Sum())
	fmt.Println(Set{}.Add("a").Add("b"), len(Set{}.Add("q")))
	fmt.Println(Fn(func(i int) int { return i * 3 }).Twice(2))
	c := make(Ch, 1)
	c.Send(4)
	fmt.Println(<-c)
	a := Arr{1, 5, 2}
	fmt.Println(a.Max())
	a.Zero()
	fmt.Println(a)
	s := Str("ab")
	s.Append("cd")
	fmt.Println(s, s.Len(), Str("x").Len())
	fmt.Println(B(true).Not(), !B(false))
	n := 3
	var p PtrTo = &n
	*p++
	fmt.Println(n)

}

// Output:
// 10 4 5
// map[a:true b:true] 1
// 18
// 4
// 5
// [0 0 0]
// abcd 4 1
// false true
// 4
