package main

import (
	"fmt"
)

func f() (r int) {
	for i := range 3 {
		defer func() { r += i; fmt.Println("d", i, r) }()
	}
	return 100
}
func main() {
	fmt.Println(f())

}

// Output:
// d 2 102
// d 1 103
// d 0 103
// 103
