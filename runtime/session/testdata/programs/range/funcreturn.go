package main

import (
	"fmt"
	"iter"
	"slices"
)

func find(seq iter.Seq[int], want int) (int, bool) {
	i := 0
	for x := range seq {
		if x == want {
			return i, true
		}
		i++
	}
	return -1, false
}
func main() {
	fmt.Println(find(slices.Values([]int{5, 6, 7}), 6))
	fmt.Println(find(slices.Values([]int{5, 6, 7}), 8))

}

// Output:
// 1 true
// -1 false
