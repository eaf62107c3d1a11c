package main

import (
	"fmt"
)

func main() {
	f := func(m [][]int, want int) (int, int, bool) {
		for i, row := range m {
			for j, v := range row {
				if v == want {
					return i, j, true
				}
			}
		}
		return 0, 0, false
	}
	fmt.Println(f([][]int{{1, 2}, {3, 4}}, 3))
	fmt.Println(f(nil, 3))

}

// Output:
// 1 0 true
// 0 0 false
