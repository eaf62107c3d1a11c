package main

import (
	"errors"
	"fmt"
)

func safe(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered: %v", r)
		}
	}()
	f()
	return nil
}
func main() {
	fmt.Println(safe(func() { panic("boom") }))
	fmt.Println(safe(func() { panic(errors.New("err")) }))
	fmt.Println(safe(func() {}))
	fmt.Println(safe(func() { var m map[string]int; m["a"] = 1 }))
	fmt.Println(safe(func() { var p *struct{ x int }; p.x = 1 }))
	fmt.Println(safe(func() { a := []int{1}; i := 5; _ = a[i] }))
	fmt.Println(safe(func() { var i any = "s"; _ = i.(int) }))
	fmt.Println(safe(func() { a, b := 1, 0; _ = a / b }))
	fmt.Println(safe(func() { a := make([]int, 2, 4); n := 5; _ = a[1:n] }))
	fmt.Println(safe(func() { n := -1; _ = make([]int, n) }))
	fmt.Println(safe(func() { var f func(); f() }))
	fmt.Println(safe(func() { c := make(chan int); close(c); close(c) }))

}

// Output:
// recovered: boom
// recovered: err
// <nil>
// recovered: assignment to entry in nil map
// recovered: runtime error: invalid memory address or nil pointer dereference
// recovered: runtime error: index out of range [5] with length 1
// recovered: interface conversion: interface {} is string, not int
// recovered: runtime error: integer divide by zero
// recovered: runtime error: slice bounds out of range [:5] with capacity 4
// recovered: runtime error: makeslice: len out of range
// recovered: runtime error: invalid memory address or nil pointer dereference
// recovered: close of closed channel
