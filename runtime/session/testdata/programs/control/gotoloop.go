package main

import (
	"fmt"
)

func main() {
	n := 10
	sum := 0
loop:
	if n > 0 {
		sum += n
		n--
		goto loop
	}
	fmt.Println(sum)
	for i := 0; i < 3; i++ {
		for j := 0; ; j++ {
			if j == 2 {
				goto next
			}
			fmt.Print(i, j, " ")
		}
	next:
		fmt.Println("next")
	}
}

// Output:
// 55
// 0 0 0 1 next
// 1 0 1 1 next
// 2 0 2 1 next
