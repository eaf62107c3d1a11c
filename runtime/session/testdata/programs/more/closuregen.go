package main

import (
	"fmt"
)

func Make[T any](init T) (get func() T, set func(T)) {
	v := init
	return func() T { return v }, func(n T) { v = n }
}
func main() {
	g, s := Make("a")
	s("b")
	fmt.Println(g())
	g2, s2 := Make([]int{1})
	s2(append(g2(), 2))
	fmt.Println(g2())

}

// Output:
// b
// [1 2]
