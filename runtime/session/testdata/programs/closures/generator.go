package main

import (
	"fmt"
)

func gen(xs ...int) (next func() (int, bool), reset func()) {
	i := 0
	next = func() (int, bool) {
		if i >= len(xs) {
			return 0, false
		}
		i++
		return xs[i-1], true
	}
	reset = func() { i = 0 }
	return
}
func main() {
	next, reset := gen(4, 5, 6)
	for v, ok := next(); ok; v, ok = next() {
		fmt.Println(v)
	}
	reset()
	fmt.Println(next())

}

// Output:
// 4
// 5
// 6
// 4 true
