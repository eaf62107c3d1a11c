package main

import (
	"fmt"
)

func main() {
	fmt.Println(min(3, 1, 2), max(1.5, 2), min("b", "a"), max('a', 'b'), min(-1, 0))
	x, y := 4, 7
	fmt.Println(max(x, y)-min(x, y), min(float32(x), 2.5))
	type M int
	fmt.Printf("%T %v\n", max(M(1), M(2)), min(M(3), 2))

}

// Output:
// 1 2 a 98 -1
// 3 2.5
// main.M 2
