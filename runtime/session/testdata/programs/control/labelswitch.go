package main

import (
	"fmt"
)

func main() {
	n := 0
loop:
	for {
		switch {
		case n > 3:
			break loop
		case n == 1:
			n += 2
			continue loop
		}
		fmt.Println(n)
		n++
	}
	fmt.Println("end", n)

}

// Output:
// 0
// 3
// end 4
