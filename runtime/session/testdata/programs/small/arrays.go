package main

import (
	"fmt"
)

func main() {
	a := [...]int{5: 1, 2, 1: 9}
	b := a
	b[0] = 1
	fmt.Println(a, len(a), a == b, [2][2]string{{"a"}, {1: "b"}})
	for i := range a {
		a[i] = i
	}
	func(x [7]int) { x[0] = 99 }(a)
	p := &a
	p[3] = 33
	fmt.Println(a[:4], len(p), cap(a[2:4]))

}

// Output:
// [0 9 0 0 0 1 2] 7 false [[a ] [ b]]
// [0 1 2 33] 7 5
