package main

import (
	"fmt"
)

func main() {
	xs := []int{1, 2, 3}
	for i, x := range xs {
		xs = append(xs, x*10)
		xs[i] = -x
	}
	fmt.Println(xs)
	arr := [3]int{1, 2, 3}
	for i, x := range arr {
		arr[2] = 99
		fmt.Print(i, x, " ")
	}
	fmt.Println(arr)
	for i, x := range &arr {
		arr[2] = 5
		fmt.Print(i, x, " ")
	}
	fmt.Println()

}

// Output:
// [-1 -2 -3 10 20 30]
// 0 1 1 2 2 3 [1 2 99]
// 0 1 1 2 2 5
