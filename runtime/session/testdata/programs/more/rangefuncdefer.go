package main

import (
	"fmt"
)

func each(yield func(int) bool) {
	for i := range 3 {
		if !yield(i) {
			return
		}
	}
}
func f() (s string) {
	for i := range each {
		defer func() { s += fmt.Sprint(i) }()
	}
	return "r"
}
func main() {
	fmt.Println(f())

}

// Output:
// r210
