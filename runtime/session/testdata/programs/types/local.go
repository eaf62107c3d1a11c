package main

import (
	"encoding/json"
	"fmt"
)

func f(n int) any {
	type pt struct{ x, y int }
	type sl []pt
	s := sl{{n, n * n}}
	s = append(s, pt{0, 1})
	if n > 2 {
		type pt string
		return pt("inner")
	}
	return s
}

type pt float64

func main() {
	fmt.Printf("%v %T\n", f(2), f(2))
	fmt.Printf("%v %T\n", f(3), f(3))
	type local struct {
		A int `json:"a"`
	}
	b, _ := json.Marshal([]local{{1}})
	fmt.Println(string(b), pt(1.5))
	func() { type local int; var x local = 3; fmt.Printf("%T %v\n", x, x) }()

}

// Output:
// [{2 4} {0 1}] main.sl
// inner main.pt
// [{"a":1}] 1.5
// main.local 3
