package main

import (
	"fmt"
)

func main() {
	m := map[string][]int{"a": {1, 2, 3}}
rows:
	for _, k := range []string{"a", "b"} {
		for _, v := range m[k] {
			for r := range 3 {
				if r == v {
					fmt.Println("hit", k, v)
					continue rows
				}
				if v > 2 {
					break rows
				}
			}
		}
		fmt.Println("none", k)
	}
	c := make(chan int, 6)
	for v := range 6 {
		c <- v
	}
	close(c)
drain:
	for v := range c {
		for k := range v {
			if k == 3 {
				break drain
			}
			if k == 1 {
				continue drain
			}
		}
		fmt.Println("v", v)
	}
sw:
	switch x := 3; x {
	case 3:
		for {
			if x++; x > 5 {
				break sw
			}
		}
		fmt.Println("no")
	}
	fmt.Println("done")

}

// Output:
// hit a 1
// none b
// v 0
// v 1
// done
