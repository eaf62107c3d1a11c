package main

import (
	"fmt"
	"slices"
	"sort"
)

type Shape interface{ Area() float64 }
type Sq struct{ s float64 }
type Ci struct{ r float64 }

func (s Sq) Area() float64 { return s.s * s.s }
func (c Ci) Area() float64 { return c.r * c.r * 3 }
func main() {
	m := map[Shape]string{Sq{2}: "sq", Ci{1}: "ci"}
	fmt.Println(m[Sq{2}], m[Ci{1}], m[Sq{3}] == "", len(m))
	seen := map[any]int{}
	for _, v := range []any{1, "1", Sq{1}, Sq{1}, 1, nil, [2]int{}, struct{ a int }{1}} {
		seen[v]++
	}
	fmt.Println(len(seen), seen[Sq{1}], seen[1], seen[nil])
	ss := []Shape{Ci{1}, Sq{2}, Sq{1}}
	sort.Slice(ss, func(i, j int) bool { return ss[i].Area() < ss[j].Area() })
	fmt.Println(ss)
	var best Shape
	for _, s := range ss {
		if best == nil || s.Area() > best.Area() {
			best = s
		}
	}
	fmt.Printf("%T %v %v\n", best, best, slices.Index(ss, Shape(Sq{1})))
	func() { defer func() { fmt.Println(recover()) }(); seen[[]int{1}] = 1 }()

}

// Output:
// sq ci true 2
// 6 2 2 1
// [{1} {1} {2}]
// main.Sq {2} 0
// runtime error: hash of unhashable type []int
