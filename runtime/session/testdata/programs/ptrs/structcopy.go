package main

import (
	"fmt"
)

type In struct {
	a [2]int
	m map[string]int
	s []int
}
type Out struct {
	In
	p *In
	n int
}

func change(o Out)       { o.n = 9; o.a[0] = 9; o.m["k"] = 9; o.s[0] = 9; o.p.a[1] = 9 }
func (o Out) val() Out   { o.n++; return o }
func (o *Out) ptr() *Out { o.n++; return o }
func main() {
	o := Out{In: In{m: map[string]int{}, s: []int{1}}, p: &In{}}
	change(o)
	fmt.Println(o.n, o.a, o.m, o.s, o.p.a)
	c := o
	c.n, c.a[1], c.s = 5, 5, append(c.s, 6)
	fmt.Println(o.n, o.a, len(o.s), c.val().n, c.n, c.ptr().ptr().n, c.n)
	arr := []Out{o, c}
	arr[0].n = 100
	arr[1].ptr()
	for i := range arr {
		arr[i].n++
	}
	for _, v := range arr {
		v.n = 0
	}
	fmt.Println(arr[0].n, arr[1].n, o.n)
	m := map[int]Out{1: o}
	x := m[1]
	x.n = 77
	fmt.Println(m[1].n, x.n)
	ch := make(chan Out, 1)
	ch <- o
	o.n = -1
	fmt.Println((<-ch).n, func(o Out) int { o.n = 3; return o.n }(o), o.n)

}

// Output:
// 0 [0 0] map[k:9] [9] [0 9]
// 0 [0 0] 1 6 7 7 7
// 101 9 0
// 0 77
// 0 3 -1
