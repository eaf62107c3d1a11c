package main

import (
	"fmt"
)

type int32 struct{ v string }
type error interface{ Problem() string }

func (i int32) Problem() string { return i.v }
func len(s string) string       { return "len:" + s }
func check(e error) string      { return e.Problem() }
func main() {
	x := int32{"a"}
	fmt.Println(x.v, check(x), len("q"))
	nil := 3
	fmt.Println(nil)

}

// Output:
// a a len:q
// 3
