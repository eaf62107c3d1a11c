package main

import (
	"cmp"
	"fmt"
	"slices"
)

type Pair[K comparable, V any] struct {
	Key K
	Val V
}

func (p Pair[K, V]) String() string { return fmt.Sprintf("<%v=%v>", p.Key, p.Val) }
func Pairs[K cmp.Ordered, V any](m map[K]V) []Pair[K, V] {
	var out []Pair[K, V]
	for k, v := range m {
		out = append(out, Pair[K, V]{k, v})
	}
	slices.SortFunc(out, func(a, b Pair[K, V]) int { return cmp.Compare(a.Key, b.Key) })
	return out
}
func main() {
	ps := Pairs(map[string]int{"b": 2, "a": 1})
	fmt.Println(ps, ps[0])
	fmt.Printf("%v %+v %T\n", ps[1], Pair[int, bool]{1, true}, ps[0])

}

// Output:
// [<a=1> <b=2>] <a=1>
// <b=2> <1=true> main.Pair[string,int]
