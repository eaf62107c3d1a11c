package main

import (
	"fmt"
)

type Nested []Nested

func (n Nested) Depth() int {
	d := 0
	for _, c := range n {
		d = max(d, c.Depth())
	}
	return d + 1
}
func main() {
	n := Nested{{}, {{}, {{}}}}
	fmt.Println(n.Depth(), len(n), n)

}

// Output:
// 4 2 [[] [[] [[]]]]
