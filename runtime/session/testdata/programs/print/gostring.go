package main

import (
	"fmt"
)

type D struct {
	Name string
	N    []int
	M    map[string]bool
	P    *int
	F    func()
	I    any
	T    struct{ A, B int }
}
type E int

func main() {
	fmt.Printf("%#v\n", D{Name: "x", N: []int{1}, M: map[string]bool{"a": true}, I: E(3)})
	fmt.Printf("%#v %#v %#v %#v %#v\n", E(2), []E{1, 2}, map[string]E{"a": 1}, "s", []string{"a"})
	fmt.Printf("%#v %#v\n", struct {
		A int
		b string
	}{1, "x"}, []any{1, "a", nil, E(1)})

}

// Output:
// main.D{Name:"x", N:[]int{1}, M:map[string]bool{"a":true}, P:(*int)(nil), F:(func())(nil), I:3, T:struct { A int; B int }{A:0, B:0}}
// 2 []main.E{1, 2} map[string]main.E{"a":1} "s" []string{"a"}
// struct { A int; b string }{A:1, b:"x"} []interface {}{1, "a", interface {}(nil), 1}
