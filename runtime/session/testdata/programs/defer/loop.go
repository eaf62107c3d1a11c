package main

import (
	"fmt"
)

func f() (out []int) {
	for i := 0; i < 3; i++ {
		defer func(n int) { out = append(out, n*10+i) }(i)
	}
	return nil
}
func main() {
	fmt.Println(f())

}

// Output:
// [22 11 0]
