package main

import (
	"fmt"
)

func f() { x := 1; defer fmt.Println("arg", x); defer func() { fmt.Println("closure", x) }(); x = 2 }
func main() {
	f()

}

// Output:
// closure 2
// arg 1
