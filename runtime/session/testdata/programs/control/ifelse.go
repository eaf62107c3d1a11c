package main

import (
	"fmt"
)

func main() {
	f := func(n int) string {
		if m := n % 15; m == 0 {
			return "FizzBuzz"
		} else if m := n % 5; m == 0 {
			return "Buzz"
		} else if n%3 == 0 {
			return "Fizz" + fmt.Sprint(m)
		} else {
			return fmt.Sprint(n, m)
		}
	}
	for _, n := range []int{1, 3, 5, 15} {
		fmt.Println(f(n))
	}

}

// Output:
// 1 1
// Fizz3
// Buzz
// FizzBuzz
