package main

import (
	"fmt"
)

func main() {
	i := 0
again:
	fmt.Print(i, " ")
	i++
	if i < 3 {
		goto again
	}
	fmt.Println("done")

}

// Output:
// 0 1 2 done
