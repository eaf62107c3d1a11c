package main

import (
	"fmt"
)

func main() {
	for i, j := 0, 10; i < j; i, j = i+1, j-2 {
		fmt.Print(i, ",", j, " ")
	}
	x := 8
	for x > 1 {
		x /= 2
	}
	fmt.Println(x)
	for {
		x++
		if x > 5 {
			break
		}
	}
	fmt.Println(x)
	for i := 0; i < 3; {
		i++
		fmt.Print(i)
	}
	fmt.Println()

}

// Output:
// 0,10 1,8 2,6 3,4 1
// 6
// 123
