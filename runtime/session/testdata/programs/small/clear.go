package main

import (
	"fmt"
)

func main() {
	m := map[string]int{"a": 1}
	s := []string{"x", "y"}
	n := m
	clear(m)
	clear(s[1:])
	fmt.Printf("%d %d %q\n", len(m), len(n), s)

}

// Output:
// 0 0 ["x" ""]
