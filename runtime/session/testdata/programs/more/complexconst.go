package main

import (
	"fmt"
)

func main() {
	const c = 1 + 2i
	x := c * c
	fmt.Println(x, real(x), -c)
	var c64 complex64 = 1
	fmt.Printf("%T %v\n", c64*2, c64)

}

// Output:
// (-3+4i) -3 (-1-2i)
// complex64 (1+0i)
