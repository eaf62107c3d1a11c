package main

import (
	"fmt"
)

func main() {
outer:
	for i := range 4 {
		switch {
		case i == 1:
			continue outer
		case i == 3:
			break outer
		}
		for j := range 3 {
			if j == 2 {
				continue outer
			}
			if i == 2 && j == 1 {
				break
			}
			fmt.Print(i, j, " ")
		}
		fmt.Print("end", i, " ")
	}
	fmt.Println()
	i := 0
w:
	for i < 10 {
		i++
		switch i % 3 {
		case 0:
			continue w
		case 1:
			if i > 6 {
				break w
			}
		}
		fmt.Print(i, " ")
	}
	fmt.Println(i)

}

// Output:
// 0 0 0 1 2 0 end2
// 1 2 4 5 7
