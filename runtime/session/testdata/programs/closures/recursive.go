package main

import (
	"fmt"
)

func main() {
	var fact func(int) int
	fact = func(n int) int {
		if n <= 1 {
			return 1
		}
		return n * fact(n-1)
	}
	fmt.Println(fact(10))
	type node struct {
		v    int
		kids []*node
	}
	t := &node{1, []*node{{2, nil}, {3, []*node{{4, nil}}}}}
	var sum func(*node) int
	sum = func(n *node) int {
		s := n.v
		for _, k := range n.kids {
			s += sum(k)
		}
		return s
	}
	fmt.Println(sum(t))

}

// Output:
// 3628800
// 10
