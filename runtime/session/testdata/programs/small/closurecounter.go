package main

import (
	"fmt"
)

func main() {
	c := map[string]func() int{}
	for _, k := range []string{"x", "y"} {
		n := 0
		c[k] = func() int { n++; return n }
	}
	c["x"]()
	c["x"]()
	fmt.Println(c["x"](), c["y"]())

}

// Output:
// 3 1
