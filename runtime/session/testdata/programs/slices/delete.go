package main

import (
	"fmt"
)

func main() {
	s := []string{"a", "b", "c", "d"}
	i := 1
	s = append(s[:i], s[i+1:]...)
	fmt.Println(s)
	s = append(s[:1], append([]string{"X"}, s[1:]...)...)
	fmt.Println(s)
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
	fmt.Println(s)
	stack := []int{}
	for i := range 3 {
		stack = append(stack, i)
	}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		fmt.Print(top, " ")
	}
	fmt.Println()

}

// Output:
// [a c d]
// [a X c d]
// [d c X a]
// 2 1 0
