package main

import (
	"fmt"
)

func pairs(yield func(int, int) bool) {
	for i := range 3 {
		for j := range 3 {
			if !yield(i, j) {
				return
			}
		}
	}
}
func main() {
outer:
	for k := range 3 {
		for i, j := range pairs {
			if i == 1 {
				continue outer
			}
			if k == 2 {
				break outer
			}
			fmt.Print(k, i, j, " ")
		}
	}
	fmt.Println()

}

// Output:
// 0 0 0 0 0 1 0 0 2 1 0 0 1 0 1 1 0 2
