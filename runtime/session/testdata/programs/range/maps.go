package main

import (
	"fmt"
)

func main() {
	m := map[string]int{"a": 1, "b": 2, "c": 3}
	sum := 0
	for k, v := range m {
		sum += v
		if k == "b" {
			delete(m, k)
		}
	}
	fmt.Println(sum, len(m))
	for k := range m {
		m[k] *= 2
	}
	fmt.Println(m)

}

// Output:
// 6 2
// map[a:2 c:6]
