package main

import (
	"fmt"
)

type Base[T any] struct{ val T }

func (b *Base[T]) Set(v T) { b.val = v }
func (b Base[T]) Get() T   { return b.val }

type Named[T any] struct {
	Base[T]
	Name string
}
type IntBox struct{ Named[int] }

func main() {
	n := Named[string]{Name: "n"}
	n.Set("v")
	fmt.Println(n.Get(), n.val, n)
	var b IntBox
	b.Set(4)
	fmt.Println(b.Get()+1, b.Named.Base.val)
	type getter[T any] interface{ Get() T }
	var g getter[int] = b
	fmt.Println(g.Get())

}

// Output:
// v v {{v} n}
// 5 4
// 4
