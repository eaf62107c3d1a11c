package main

import (
	"fmt"
)

func main() {
	func() {
		for i := range 3 {
			defer func(n int) { fmt.Print(n, i, " ") }(i * 10)
		}
	}()
	fmt.Println()

}

// Output:
// 20 2 10 1 0 0
