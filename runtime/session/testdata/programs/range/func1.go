package main

import (
	"fmt"
	"iter"
)

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				fmt.Println("stopped at", i)
				return
			}
		}
		fmt.Println("done")
	}
}
func main() {
	for x := range count(3) {
		fmt.Println(x)
	}
	for x := range count(10) {
		if x%2 == 1 {
			continue
		}
		if x > 4 {
			break
		}
		fmt.Println(x)
	}

}

// Output:
// 0
// 1
// 2
// done
// 0
// 2
// 4
// stopped at 6
