package main

import (
	"fmt"
)

func memo(f func(int) int) func(int) int {
	c := map[int]int{}
	return func(n int) int {
		if v, ok := c[n]; ok {
			return v
		}
		v := f(n)
		c[n] = v
		return v
	}
}
func main() {
	calls := 0
	var fib func(int) int
	fib = memo(func(n int) int {
		calls++
		if n < 2 {
			return n
		}
		return fib(n-1) + fib(n-2)
	})
	fmt.Println(fib(50), calls)

}

// Output:
// 12586269025 51
