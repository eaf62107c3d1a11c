package main

import (
	"fmt"
)

func main() {
	found := false
search:
	switch {
	default:
		for i := range 10 {
			if i == 4 {
				found = true
				break search
			}
		}
		fmt.Println("not reached")
	}
	fmt.Println(found)

}

// Output:
// true
