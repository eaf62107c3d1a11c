package main

import (
	"fmt"
)

func main() {
	switch x := 5; {
	case x > 3:
		fmt.Println("big")
	case x > 10:
		fmt.Println("huge")
	}
	switch y := "b"; y {
	case "a", "b":
		fmt.Println("ab")
	default:
		fmt.Println("?")
	}
	switch {
	default:
		fmt.Println("default first")
	case false:
	}
	switch x := interface{}(3).(type) {
	case nil:
		fmt.Println("nil")
	case int, int64:
		fmt.Printf("%T %v\n", x, x)
	}

}

// Output:
// big
// ab
// default first
// int 3
