package main

import (
	"fmt"
)

type R struct{ name string }

func (r R) Close()   { fmt.Println("close", r.name) }
func (r *R) PClose() { fmt.Println("pclose", r.name) }
func main() {
	func() { r := R{"a"}; defer r.Close(); defer r.PClose(); r.name = "b"; fmt.Println("work") }()

}

// Output:
// work
// pclose b
// close a
