package main

import (
	"fmt"
)

func main() {
	x := 10
	x += 5
	x -= 3
	x *= 2
	x /= 5
	x %= 3
	x <<= 4
	x |= 1
	x &= 0x1f
	x ^= 3
	x &^= 2
	x >>= 1
	fmt.Println(x)
	s := "a"
	s += "b"
	f := 1.5
	f *= 2
	f /= 4
	m := map[string]int{}
	m["k"] += 5
	m["k"]++
	m["k"] <<= 2
	p := &x
	*p += 1
	t := struct{ n []int }{[]int{1}}
	t.n[0] += 41
	fmt.Println(s, f, m, x, t)

}

// Output:
// 8
// ab 0.75 map[k:24] 9 {[42]}
