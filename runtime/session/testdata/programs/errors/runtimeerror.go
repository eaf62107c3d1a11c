package main

import (
	"fmt"
	"runtime"
)

func try(f func()) {
	defer func() { r := recover(); err, ok := r.(runtime.Error); fmt.Println(ok, err) }()
	f()
}
func main() {
	try(func() { var m map[string]int; m["x"]++ })
	try(func() { var e error; _ = e.Error() })
	try(func() { x := 0; fmt.Println(1 / x) })
	try(func() { var a any = "x"; fmt.Println(a.(int)) })
	try(func() { var s fmt.Stringer; s.String() })
	try(func() { panic("plain") })

}

// Output:
// true assignment to entry in nil map
// true runtime error: invalid memory address or nil pointer dereference
// true runtime error: integer divide by zero
// true interface conversion: interface {} is string, not int
// true runtime error: invalid memory address or nil pointer dereference
// false <nil>
