package main

import (
	"fmt"
)

func main() {
	f := func(s string, v int) int { fmt.Print(s, " "); return v }
	switch f("tag", 2) {
	case f("a", 1), f("b", 2), f("c", 3):
		fmt.Println("hit")
	case f("d", 2):
		fmt.Println("no")
	}

}

// Output:
// tag a b hit
