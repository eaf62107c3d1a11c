package main

import (
	"fmt"
)

func main() {
	for i := 1; i <= 15; i++ {
		s := ""
		if i%3 == 0 {
			s += "Fizz"
		}
		if i%5 == 0 {
			s += "Buzz"
		}
		if s == "" {
			s = fmt.Sprint(i)
		}
		fmt.Print(s, " ")
	}
	fmt.Println()

}

// Output:
// 1 2 Fizz 4 Buzz Fizz 7 8 Fizz Buzz 11 Fizz 13 14 FizzBuzz
