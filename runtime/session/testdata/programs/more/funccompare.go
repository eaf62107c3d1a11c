package main

import (
	"fmt"
)

func main() {
	var f func()
	fmt.Println(f == nil)
	f = func() {}
	fmt.Println(f != nil)
	m := map[string]func(){"a": nil}
	if g, ok := m["a"]; ok && g == nil {
		fmt.Println("nil func in map")
	}

}

// Output:
// true
// true
// nil func in map
