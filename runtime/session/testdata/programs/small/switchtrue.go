package main

import (
	"fmt"
)

func main() {
	for _, v := range []any{1, "x", nil, 2.5} {
		switch v {
		case 1:
			fmt.Print("one ")
		case "x":
			fmt.Print("ex ")
		case nil:
			fmt.Print("nil ")
		case 2.5:
			fmt.Print("2.5 ")
		default:
			fmt.Print("? ")
		}
	}
	fmt.Println()

}

// Output:
// one ex nil 2.5
