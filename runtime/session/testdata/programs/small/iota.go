package main

import (
	"fmt"
)

func main() {
	const (
		A = iota * 2
		B
		C
		_
		E = "e"
		F
		G = iota
	)
	type Mode uint
	const (
		R Mode = 1 << iota
		W
		X
	)
	fmt.Println(A, B, C, E, F, G, R|X, W&^W, (R|W)&W != 0)

}

// Output:
// 0 2 4 e e 6 5 0 true
