package main

import (
	"fmt"
	"strings"
	"time"
)

type V struct{ x, y int }

func (v V) Add(o V) V    { return V{v.x + o.x, v.y + o.y} }
func (v *V) Scale(k int) { v.x *= k; v.y *= k }
func main() {
	add := V.Add
	scale := (*V).Scale
	v := add(V{1, 2}, V{3, 4})
	scale(&v, 10)
	fmt.Println(v)
	f := strings.ToUpper
	up := (*strings.Builder).WriteString
	var b strings.Builder
	up(&b, f("abc"))
	fmt.Println(b.String())
	g := fmt.Stringer.String
	fmt.Println(g(time.Second))

}

// Output:
// {40 60}
// ABC
// 1s
