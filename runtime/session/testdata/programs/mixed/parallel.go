package main

import (
	"errors"
	"fmt"
)

type C struct{ m map[string]int }

func (c *C) get(k string) (a int, err error) {
	func() {
		if v, ok := c.m[k]; ok {
			a, err = v, nil
			return
		}
		if k == "x" {
			var zero int
			a, err = zero, errors.New("no")
			return
		}
		c.m[k] = 7
		a, err = 7, nil
	}()
	return a, err
}
func g(k string) (r1 int, r2 error) {
	f := func() {
		if k == "a" {
			r1, r2 = 5, nil
			return
		}
		z := 0
		r1, r2 = z, errors.New("z")
	}
	f()
	return r1, r2
}
func main() {
	c := &C{map[string]int{}}
	for _, k := range []string{"a", "a", "x"} {
		v, err := c.get(k)
		fmt.Println(v, err)
		v, err = g(k)
		fmt.Println(v, err)
	}
}

// Output:
// 7 <nil>
// 5 <nil>
// 7 <nil>
// 5 <nil>
// 0 no
// 0 z
