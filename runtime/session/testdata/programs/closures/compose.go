package main

import (
	"fmt"
)

type F func(int) int

func (f F) Then(g F) F { return func(x int) int { return g(f(x)) } }
func compose(fs ...F) F {
	r := F(func(x int) int { return x })
	for _, f := range fs {
		r = r.Then(f)
	}
	return r
}
func main() {
	double := F(func(x int) int { return 2 * x })
	inc := F(func(x int) int { return x + 1 })
	fmt.Println(compose(double, inc, double)(5), double.Then(inc)(3))

}

// Output:
// 22 7
