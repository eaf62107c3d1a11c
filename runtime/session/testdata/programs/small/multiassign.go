package main

import (
	"fmt"
)

func main() {
	a, b, c := 1, "two", 3.0
	a, b = a+1, b+"!"
	arr := []int{1, 2, 3}
	i := 0
	i, arr[i] = 2, 9
	arr[0], arr[2] = arr[2], arr[0]
	fmt.Println(a, b, c, arr, i)
	x, y := func() (int, int) { return 1, 2 }()
	x, y = y, x
	_, z := x, y
	fmt.Println(x, y, z)

}

// Output:
// 2 two! 3 [3 2 9] 2
// 2 1 1
