package main

import (
	"fmt"
)

func main() {
	n := 0
retry:
	n++
	if n < 3 {
		fmt.Print("try ", n, "; ")
		goto retry
	}
	fmt.Println("done", n)

}

// Output:
// try 1; try 2; done 3
