package main

import (
	"fmt"
)

type Tuple[A, B any] struct {
	First  A
	Second B
}

func Zip[A, B any](as []A, bs []B) []Tuple[A, B] {
	var out []Tuple[A, B]
	for i := range min(len(as), len(bs)) {
		out = append(out, Tuple[A, B]{as[i], bs[i]})
	}
	return out
}
func Unzip[A, B any](ts []Tuple[A, B]) (as []A, bs []B) {
	for _, t := range ts {
		as = append(as, t.First)
		bs = append(bs, t.Second)
	}
	return
}
func main() {
	z := Zip([]int{1, 2, 3}, []string{"a", "b"})
	fmt.Println(z)
	fmt.Printf("%T %+v\n", z, z[0])
	fmt.Println(Unzip(z))

}

// Output:
// [{1 a} {2 b}]
// []main.Tuple[int,string] {First:1 Second:a}
// [1 2] [a b]
