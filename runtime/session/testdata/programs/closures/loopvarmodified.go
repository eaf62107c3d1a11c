package main

import (
	"fmt"
)

func main() {
	var fs []func()
	for i := 0; i < 6; i++ {
		if i%2 == 0 {
			i++
		}
		fs = append(fs, func() { fmt.Print(i, " ") })
	}
	for _, f := range fs {
		f()
	}
	fmt.Println()

}

// Output:
// 1 3 5
