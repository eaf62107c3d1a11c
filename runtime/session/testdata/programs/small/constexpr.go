package main

import (
	"fmt"
	"time"
)

func main() {
	const (
		day  = 24 * time.Hour
		big  = 1 << 70 / (1 << 68)
		half = 1 / 2.0
		idiv = 1 / 2
		r    = 'a' + 2
		s    = "con" + "cat"
	)
	fmt.Println(day, big, half, idiv, r, string(rune(r)), s, len(s))

}

// Output:
// 24h0m0s 4 0.5 0 99 c concat 6
