package main

import (
	"fmt"
)

type Setter[T any] interface {
	*T
	Set(string)
}
type Conf struct{ v string }

func (c *Conf) Set(s string) { c.v = "set:" + s }
func Build[T any, P Setter[T]](ss []string) []T {
	out := make([]T, len(ss))
	for i, s := range ss {
		P(&out[i]).Set(s)
	}
	return out
}
func main() {
	fmt.Println(Build[Conf]([]string{"a", "b"}))

}

// Output:
// [{set:a} {set:b}]
