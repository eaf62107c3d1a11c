package main

import (
	"fmt"
)

type V struct {
	X, Y float64
	tag  string
}
type K struct {
	a int
	b string
}

func main() {
	a := V{1, 2, "t"}
	b := a
	b.X = 9
	fmt.Println(a == b, a != V{1, 2, "t"}, &a == &a)
	m := map[K][]int{}
	m[K{1, "a"}] = append(m[K{1, "a"}], 5)
	m[K{1, "a"}] = append(m[K{1, "a"}], 6)
	fmt.Println(m[K{1, "a"}], len(m))
	arr := [2]V{a, b}
	cp := arr
	cp[0].X = 100
	fmt.Println(arr == cp, arr[0].X, arr)
	type E struct{}
	fmt.Println(E{} == E{}, [0]int{} == [0]int{})
	p, q := &V{}, &V{}
	fmt.Println(p == q, *p == *q)

}

// Output:
// false false true
// [5 6] 1
// false 1 [{1 2 t} {9 2 t}]
// true true
// false true
