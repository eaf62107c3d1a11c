package main

import (
	"fmt"
)

func main() {
	defer func() { r := recover(); fmt.Println("main recovered:", r) }()
	defer fmt.Println("second")
	var p *struct{ x int }
	fmt.Println("before")
	fmt.Println(p.x)
	fmt.Println("never")

}

// Output:
// before
// second
// main recovered: runtime error: invalid memory address or nil pointer dereference
