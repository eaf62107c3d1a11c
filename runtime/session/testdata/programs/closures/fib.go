package main

import (
	"fmt"
)

func fib() func() int { a, b := 0, 1; return func() int { r := a; a, b = b, a+b; return r } }
func main() {
	f := fib()
	for range 10 {
		fmt.Print(f(), " ")
	}
	fmt.Println()
	var even, odd func(int) bool
	even = func(n int) bool {
		if n == 0 {
			return true
		}
		return odd(n - 1)
	}
	odd = func(n int) bool {
		if n == 0 {
			return false
		}
		return even(n - 1)
	}
	fmt.Println(even(10), odd(7), even(3))
	curry := func(a int) func(int) func(int) int {
		return func(b int) func(int) int { return func(c int) int { return a*100 + b*10 + c } }
	}
	fmt.Println(curry(1)(2)(3))
	Y := func(f func(func(int) int, int) int) func(int) int {
		var g func(int) int
		g = func(n int) int { return f(g, n) }
		return g
	}
	fmt.Println(Y(func(self func(int) int, n int) int {
		if n < 2 {
			return 1
		}
		return n * self(n-1)
	})(6))

}

// Output:
// 0 1 1 2 3 5 8 13 21 34
// true true false
// 123
// 720
