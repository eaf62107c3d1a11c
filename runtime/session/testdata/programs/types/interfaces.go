package main

import (
	"fmt"
	"math"
)

type Shape interface {
	Area() float64
	Perimeter() float64
}
type Rect struct{ w, h float64 }
type Circle struct{ r float64 }

func (r Rect) Area() float64         { return r.w * r.h }
func (r Rect) Perimeter() float64    { return 2 * (r.w + r.h) }
func (c *Circle) Area() float64      { return math.Pi * c.r * c.r }
func (c *Circle) Perimeter() float64 { return 2 * math.Pi * c.r }
func main() {
	shapes := []Shape{Rect{3, 4}, &Circle{1}}
	for _, s := range shapes {
		fmt.Printf("%T %.2f %.2f\n", s, s.Area(), s.Perimeter())
		switch v := s.(type) {
		case Rect:
			fmt.Println("rect", v.w)
		case *Circle:
			fmt.Println("circle", v.r)
		}
		if _, ok := s.(*Circle); ok {
			fmt.Println("is circle")
		}
		_, ok := s.(fmt.Stringer)
		fmt.Println(ok)
	}
	var s Shape
	fmt.Println(s == nil, shapes[0] == Shape(Rect{3, 4}))

}

// Output:
// main.Rect 12.00 14.00
// rect 3
// false
// *main.Circle 3.14 6.28
// circle 1
// is circle
// false
// true true
