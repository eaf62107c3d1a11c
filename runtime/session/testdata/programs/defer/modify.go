package main

import (
	"fmt"
)

func a() (n int)  { defer func() { n++ }(); n = 5; return n * 2 }
func b() int      { n := 5; defer func() { n++ }(); return n }
func c() (p *int) { x := 1; defer func() { x = 9 }(); return &x }
func d() (s []int, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = []int{-1}, fmt.Errorf("%v", r)
		}
	}()
	s = []int{1}
	_ = s[len(s)]
	return s, nil
}
func main() {
	fmt.Println(a(), b(), *c())
	fmt.Println(d())

}

// Output:
// 11 5 9
// [-1] runtime error: index out of range [1] with length 1
