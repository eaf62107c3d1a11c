package main

import (
	"fmt"
)

func main() {
	try := func(f func()) (kind string) {
		defer func() {
			switch v := recover().(type) {
			case nil:
				kind = "none"
			case string:
				kind = "string " + v
			case error:
				kind = "error " + v.Error()
			default:
				kind = fmt.Sprintf("%T", v)
			}
		}()
		f()
		return
	}
	fmt.Println(try(func() {}), "|", try(func() { panic("x") }), "|", try(func() { panic(fmt.Errorf("e")) }), "|", try(func() { panic(3.5) }), "|", try(func() { var a []int; _ = a[3] }))

}

// Output:
// none | string x | error e | float64 | error runtime error: index out of range [3] with length 0
