package main

import (
	"fmt"
)

func main() {
	var fs []func() string
	for i := range 2 {
		for j := range 2 {
			k := i*10 + j
			fs = append(fs, func() string { return fmt.Sprintf("%d%d%d", i, j, k) })
		}
	}
	for _, f := range fs {
		fmt.Println(f())
	}

}

// Output:
// 000
// 011
// 1010
// 1111
