package main

import (
	"fmt"
)

func main() {
	var m map[string][]string
	fmt.Println(m["x"], len(m["x"]))
	for range m {
	}
	var s []int
	for range s {
	}
	s = append(s, s...)
	fmt.Println(s == nil, m == nil)
	func() { defer func() { fmt.Println(recover()) }(); m["a"] = nil }()

}

// Output:
// [] 0
// true true
// assignment to entry in nil map
