package main

import (
	"fmt"
)

type Shape interface{ Area() float64 }
type Sq struct{ s float64 }

func (s Sq) Area() float64 { return s.s * s.s }

type Ci struct{ r float64 }

func (c Ci) Area() float64 { return 3 * c.r * c.r }
func Largest[S Shape](xs []S) S {
	var best S
	for i, x := range xs {
		if i == 0 || x.Area() > best.Area() {
			best = x
		}
	}
	return best
}
func main() {
	fmt.Println(Largest([]Sq{{1}, {3}, {2}}))
	fmt.Println(Largest([]Shape{Sq{3}, Ci{2}}).Area())

}

// Output:
// {3}
// 12
