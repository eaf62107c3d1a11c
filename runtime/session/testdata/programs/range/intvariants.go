package main

import (
	"fmt"
)

func main() {
	n := 3
	for i := range n {
		n = 10
		i *= 2
		fmt.Print(i, " ")
	}
	var j int
	for j = range 4 {
	}
	fmt.Println(j, n)
	type ID uint16
	for id := range ID(2) {
		fmt.Printf("%T %v\n", id, id)
	}

}

// Output:
// 0 2 4 3 10
// main.ID 0
// main.ID 1
