package main

import (
	"fmt"
)

func f() (r any) { defer func() { r = recover() }(); return "normal" }
func main() {
	fmt.Println(f())
	fmt.Println(recover())

}

// Output:
// <nil>
// <nil>
