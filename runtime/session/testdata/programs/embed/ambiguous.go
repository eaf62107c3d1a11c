package main

import (
	"fmt"
)

type X struct{ v int }
type Y struct{ v int }
type Z struct {
	X
	Y
	v string
}
type W struct {
	X
	n int
}

func main() {
	z := Z{X{1}, Y{2}, "z"}
	fmt.Println(z.v, z.X.v, z.Y.v, z)
	w := W{X: X{3}}
	w.v++
	p := &w.v
	*p *= 10
	fmt.Println(w, w.X == X{40})

}

// Output:
// z 1 2 {{1} {2} z}
// {{40} 0} true
