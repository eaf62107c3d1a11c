package main

import (
	"fmt"
	"strconv"
)

func main() {
	toBin := func(n uint) (s string) {
		for ; n > 0; n >>= 1 {
			s = string('0'+rune(n&1)) + s
		}
		return
	}
	fmt.Println(toBin(10), toBin(255), fmt.Sprintf("%b", 10))
	n, _ := strconv.ParseUint("1010", 2, 8)
	fmt.Println(n, 1<<3|1<<1, 0xF0>>4, 5&3, 5|3, 5^3, 5&^3)

}

// Output:
// 1010 11111111 1010
// 10 10 15 1 7 6 4
