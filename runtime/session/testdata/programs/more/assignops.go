package main

import (
	"fmt"
)

type S struct {
	m map[string][]int
	p *S
	a [3]int
}

func main() {
	s := &S{m: map[string][]int{}}
	s.m["a"] = append(s.m["a"], 1)
	s.m["a"][0] += 5
	s.p = &S{}
	s.p.a[1]++
	s.p.a[len(s.p.a)-1] = 7
	x, ok := s.m["zz"]
	fmt.Println(s.m, s.p.a, x == nil, ok)
	var i, j any = 1, "x"
	i, j = j, i
	fmt.Println(i, j)

}

// Output:
// map[a:[6]] [0 1 7] true false
// x 1
