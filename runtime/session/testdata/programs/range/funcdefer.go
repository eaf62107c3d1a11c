package main

import (
	"fmt"
)

func each(yield func(int) bool) {
	defer fmt.Println("cleanup")
	for i := range 5 {
		if !yield(i) {
			return
		}
	}
}
func main() {
	for i := range each {
		if i == 2 {
			break
		}
		fmt.Println(i)
	}

}

// Output:
// 0
// 1
// cleanup
