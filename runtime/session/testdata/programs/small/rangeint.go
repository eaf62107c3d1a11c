package main

import (
	"fmt"
)

func main() {
	t := 0
	for i := range 10 {
		if i%2 == 0 {
			continue
		}
		t += i
	}
	for range 3 {
		t *= 2
	}
	var n uint8 = 3
	for i := range n {
		t += int(i)
	}
	fmt.Println(t)

}

// Output:
// 203
