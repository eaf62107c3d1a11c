package main

import (
	"fmt"
)

func main() {
	gcd := func(a, b int) int {
		for b != 0 {
			a, b = b, a%b
		}
		return a
	}
	fmt.Println(gcd(48, 36), gcd(17, 5), 48*36/gcd(48, 36))

}

// Output:
// 12 1 144
