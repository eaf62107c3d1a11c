package main

import (
	"fmt"
)

func main() {
	var fs []func()
	for i, s := range []string{"a", "b"} {
		for j := 0; j < 2; j++ {
			x := i*10 + j
			y := s
			defer func() { fmt.Print("d", x, y, " ") }()
			fs = append(fs, func() { x++; fmt.Print(x, y, j, " ") })
		}
	}
	for _, f := range fs {
		f()
		f()
	}
	fmt.Println()
	ps := []*int{}
	for i := range 3 {
		ps = append(ps, &i)
	}
	for _, p := range ps {
		*p *= 2
		fmt.Print(*p, " ")
	}
	type N struct{ v int }
	var ns []*N
	for _, n := range []N{{1}, {2}} {
		ns = append(ns, &n)
	}
	fmt.Println(ns[0].v, ns[1].v)
	for k := 0; k < 2; k++ {
		go func() {}()
		func() { k := k + 100; fmt.Print(k, " ") }()
	}
	fmt.Println()

}

// Output:
// 1a0 2a0 2a1 3a1 11b0 12b0 12b1 13b1
// 0 2 4 1 2
// 100 101
// d13b d12b d3a d2a
