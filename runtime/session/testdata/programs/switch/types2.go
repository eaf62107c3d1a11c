package main

import (
	"fmt"
)

type A struct{}
type B struct{ A }

func (A) Foo() string { return "foo" }

type Fooer interface{ Foo() string }
type E string

func (e E) Error() string { return string(e) }
func kind(v any) string {
	switch x := v.(type) {
	case interface{ Foo() string }:
		return "fooer " + x.Foo()
	case error:
		return "error " + x.Error()
	case []any:
		s := ""
		for _, e := range x {
			s += kind(e) + ","
		}
		return "[" + s + "]"
	case map[string]any:
		return fmt.Sprint("map ", len(x))
	case func(int) int:
		return fmt.Sprint("func ", x(2))
	case *int, *string:
		return fmt.Sprintf("ptr %T", x)
	case [2]int:
		return fmt.Sprint("arr ", x[1])
	case chan<- int:
		return "send chan"
	case complex128:
		return fmt.Sprint("complex ", real(x))
	case struct{ X int }:
		return fmt.Sprint("anon ", x.X)
	case uintptr, uint:
		return "uint"
	}
	return "none"
}
func main() {
	n := 1
	for _, v := range []any{A{}, &B{}, E("e"), []any{1, E("x")}, map[string]any{"a": 1}, func(i int) int { return i * 2 }, &n, new(string), [2]int{1, 2}, make(chan<- int), 2i, struct{ X int }{5}, uint(1), nil, 1.5} {
		fmt.Println(kind(v))
	}
	var f Fooer = B{}
	switch f.(type) {
	case A:
		fmt.Println("A")
	case B:
		fmt.Println("B")
	}
	switch y := f.(type) {
	case B, *B:
		fmt.Printf("%T\n", y)
	}

}

// Output:
// fooer foo
// fooer foo
// error e
// [none,error x,]
// map 1
// func 4
// ptr *int
// ptr *string
// arr 2
// send chan
// complex 0
// anon 5
// uint
// none
// none
// B
// main.B
