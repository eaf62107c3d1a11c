package main

import (
	"fmt"
)

func f() {
	defer fmt.Println("f1")
	defer func() { fmt.Println("rec", recover()); panic("second") }()
	panic("first")
}
func main() {
	func() { defer func() { fmt.Println("outer", recover()) }(); f(); fmt.Println("no") }()

}

// Output:
// rec first
// f1
// outer second
