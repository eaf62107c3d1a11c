package main

import (
	"fmt"
)

func main() {
	var i8 int8 = 127
	i8++
	var u uint8 = 0
	u--
	var u32 uint32 = 1 << 31
	u32 <<= 1
	fmt.Println(i8, u, u32, i8/-1)
	n := 300
	fmt.Println(uint8(n), int8(n), uint16(70000&0xffff), uint32(1<<31)>>3)
	f := 3.99
	fmt.Println(int(f), int(-f), ^0, ^uint8(1), -5>>1, u+200+100)

}

// Output:
// -128 255 0 -128
// 44 44 4464 268435456
// 3 -3 -1 254 -3 43
