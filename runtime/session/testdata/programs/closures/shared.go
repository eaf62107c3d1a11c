package main

import (
	"fmt"
)

func main() {
	x := 1
	inc := func() { x++ }
	get := func() int { return x }
	inc()
	inc()
	x *= 10
	fmt.Println(get(), x)
	p := &x
	*p = 7
	fmt.Println(get())

}

// Output:
// 30 30
// 7
