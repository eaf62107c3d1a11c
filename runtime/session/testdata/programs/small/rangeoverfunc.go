package main

import (
	"fmt"
)

func main() {
	countdown := func(n int) func(func(int) bool) {
		return func(yield func(int) bool) {
			for ; n > 0; n-- {
				if !yield(n) {
					fmt.Print("stop ")
					return
				}
			}
		}
	}
	for v := range countdown(5) {
		if v == 4 {
			continue
		}
		if v == 2 {
			break
		}
		fmt.Print(v, " ")
	}
	fmt.Println()

}

// Output:
// 5 3 stop
