package main

import (
	"fmt"
)

func main() {
	for i := range 5 {
		switch i {
		case 0:
			fmt.Print("zero ")
			fallthrough
		case 1:
			fmt.Print("one ")
		case 2, 3:
			fmt.Print("few ")
		default:
			fmt.Print("many ")
		}
	}
	fmt.Println()

}

// Output:
// zero one one few few many
