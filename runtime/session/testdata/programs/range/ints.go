package main

import (
	"fmt"
)

func main() {
	for i := range 3 {
		fmt.Print(i, " ")
	}
	var n int8 = 4
	for i := range n {
		fmt.Printf("%T%d ", i, i)
	}
	for range 2 {
		fmt.Print("x")
	}
	const k = 2
	for i := range k {
		fmt.Printf("%T ", i)
	}
	for i := range -3 {
		fmt.Println("never", i)
	}
	fmt.Println()

}

// Output:
// 0 1 2 int80 int81 int82 int83 xxint int
