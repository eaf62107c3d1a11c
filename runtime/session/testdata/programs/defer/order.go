package main

import (
	"fmt"
)

func f() {
	for i := range 3 {
		defer fmt.Print(i, " ")
	}
	fmt.Print("body ")
}
func main() {
	f()
	fmt.Println()

}

// Output:
// body 2 1 0
