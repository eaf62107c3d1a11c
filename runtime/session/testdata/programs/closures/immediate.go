package main

import (
	"fmt"
)

func main() {
	r := func(a, b int) int { return a*b + func() int { return a }() }(3, 4)
	fmt.Println(r)
	func() { defer fmt.Println("deferred"); fmt.Println("body") }()

}

// Output:
// 15
// body
// deferred
