package main

import (
	"fmt"
)

func main() {
	a := []int{1, 2, 3, 4, 5}
	b := a[1:3]
	b = append(b, 99)
	fmt.Println(a, b, len(b), cap(b))
	c := a[1:3:3]
	c = append(c, 7)
	fmt.Println(a, c)
	d := make([]int, 2, 10)
	e := append(d, 1)
	f := append(d, 2)
	fmt.Println(e, f, len(d))
	n := copy(a, a[2:])
	fmt.Println(n, a)
	s := append([]byte("hello "), "world"...)
	fmt.Println(string(s))
	var nilS []int
	fmt.Println(nilS == nil, len(nilS), append(nilS, 1), nilS[:0] == nil)
	x := [3]int{1, 2, 3}
	y := x
	y[0] = 9
	p := &x
	p[1] = 8
	z := x[:]
	z[2] = 7
	fmt.Println(x, y, *p, z)

}

// Output:
// [1 2 3 99 5] [2 3 99] 3 4
// [1 2 3 99 5] [2 3 7]
// [0 0 2] [0 0 2] 2
// 3 [3 99 5 99 5]
// hello world
// true 0 [1] true
// [1 8 7] [9 2 3] [1 8 7] [1 8 7]
