package main

import (
	"fmt"
)

func f[T any](v T) string {
	type box struct {
		v T
		n int
	}
	b := box{v, 1}
	b.n++
	return fmt.Sprintf("%v %T", b, b)
}
func main() {
	fmt.Println(f(1)[:5], f("a")[:5])

}

// Output:
// {1 2} {a 2}
