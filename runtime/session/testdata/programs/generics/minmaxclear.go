package main

import (
	"fmt"
	"math"
)

func main() {
	fmt.Println(min(3, 1, 2), max(2.5, 1), min("b", "a"), max(1, 2.0))
	var f float32 = 1.5
	fmt.Println(min(f, 2), max(f, 2))
	m := map[string]int{"a": 1}
	clear(m)
	s := []int{1, 2, 3}
	clear(s[:2])
	fmt.Println(len(m), s, math.IsNaN(min(math.NaN(), 1)))

}

// Output:
// 1 2.5 a 2
// 1.5 2
// 0 [0 0 3] true
