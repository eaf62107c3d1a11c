package main

import (
	"fmt"
)

func main() {
	s := "hello"
	fmt.Println(s[0], s[1:3], s[:2]+s[3:], s[len(s)-1:], string(s[4]), len(s))
	for i := len(s) - 1; i >= 0; i-- {
		fmt.Print(string(s[i]))
	}
	fmt.Println()

}

// Output:
// 104 el helo o o 5
// olleh
