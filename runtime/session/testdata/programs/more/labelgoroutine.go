package main

import (
	"fmt"
)

func main() {
	results := make(chan string)
	go func() {
		defer close(results)
	outer:
		for i := range 3 {
			for j := range 3 {
				if j > i {
					continue outer
				}
				if i == 2 {
					break outer
				}
				results <- fmt.Sprint(i, j)
			}
		}
	}()
	for r := range results {
		fmt.Print(r, ";")
	}
	fmt.Println()

}

// Output:
// 0 0;1 0;1 1;
