package main

import (
	"fmt"
)

type N struct {
	v    int
	next *N
}

func inc(p *int)          { *p++ }
func newN(v int) *N       { n := N{v: v}; return &n }
func swap(a, b *int)      { *a, *b = *b, *a }
func set(pp **int, v int) { *pp = &v }
func main() {
	x, y := 1, 2
	inc(&x)
	swap(&x, &y)
	p := &x
	q := p
	*q = 50
	pp := &p
	**pp = 60
	set(&p, 7)
	fmt.Println(x, y, *p, *q, p == q)
	a, b := newN(1), newN(1)
	a.next = b
	a.next.v = 9
	fmt.Println(a == b, a.next.v, b.v, a.next.next == nil)
	arr := [3]int{1, 2, 3}
	ap := &arr[1]
	*ap = 20
	s := arr[:]
	sp := &s[2]
	*sp = 30
	fmt.Println(arr, len(s))
	st := struct{ a, b int }{1, 2}
	bp := &st.b
	*bp = 3
	m := map[string]*int{"k": &x}
	*m["k"]++
	fmt.Println(st, x)
	ptrs := []*int{}
	for i := range 3 {
		v := i * i
		ptrs = append(ptrs, &v)
	}
	for _, p := range ptrs {
		fmt.Print(*p, " ")
	}
	np := new(int)
	*np += 5
	fmt.Println(*np, *new(string) == "")
	fp := func() *int { z := 3; return &z }()
	*fp++
	fmt.Println(*fp)

}

// Output:
// 60 2 7 60 false
// false 9 9 true
// [1 20 30] 3
// {1 3} 61
// 0 1 4 5 true
// 4
