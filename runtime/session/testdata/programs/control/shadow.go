package main

import (
	"fmt"
)

func main() {
	x := 1
	{
		x := 2
		x++
		{
			x := "inner"
			fmt.Println(x)
		}
		fmt.Println(x)
	}
	if x := 5; x > 3 {
		x := x * 2
		fmt.Println(x)
	}
	for x := range 2 {
		x := x + 100
		fmt.Println(x)
	}
	f := func(x int) int { x++; return x }
	fmt.Println(f(x), x)

}

// Output:
// inner
// 3
// 10
// 100
// 101
// 2 1
