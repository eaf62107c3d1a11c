package main

import (
	"fmt"
	"strings"
)

func main() {
	for i, w := range strings.Fields("a é 你") {
		for j, r := range w {
			fmt.Print(i, j, string(r), len(w), " ")
		}
	}
	fmt.Println()
	const s = "const"
	for i := range s {
		if s[i] == 'n' {
			fmt.Println(i)
		}
	}
	for i := range len(s) {
		fmt.Print(s[i : i+1])
	}
	fmt.Println()

}

// Output:
// 0 0a1 1 0é2 2 0你3
// 2
// const
