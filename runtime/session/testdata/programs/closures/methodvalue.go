package main

import (
	"fmt"
)

type C struct{ n int }

func (c *C) Inc() int { c.n++; return c.n }
func (c C) Get() int  { return c.n }
func main() {
	c := C{5}
	inc, get := c.Inc, c.Get
	inc()
	inc()
	fmt.Println(c.n, get(), c.Get())
	fs := []func() int{c.Inc, c.Get, (&C{9}).Inc}
	for _, f := range fs {
		fmt.Println(f())
	}

}

// Output:
// 7 5 7
// 8
// 7
// 10
