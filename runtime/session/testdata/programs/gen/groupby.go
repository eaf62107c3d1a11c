package main

import (
	"cmp"
	"fmt"
	"slices"
)

func GroupBy[K comparable, V any](vs []V, key func(V) K) map[K][]V {
	m := make(map[K][]V)
	for _, v := range vs {
		k := key(v)
		m[k] = append(m[k], v)
	}
	return m
}
func Keys[M ~map[K]V, K cmp.Ordered, V any](m M) []K {
	ks := make([]K, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}
func CountIf[T any](xs []T, p func(T) bool) (n int) {
	for _, x := range xs {
		if p(x) {
			n++
		}
	}
	return
}
func main() {
	g := GroupBy([]string{"a", "bb", "cc", "d"}, func(s string) int { return len(s) })
	for _, k := range Keys(g) {
		fmt.Println(k, g[k])
	}
	fmt.Println(CountIf([]int{1, 2, 3}, func(i int) bool { return i%2 == 1 }))

}

// Output:
// 1 [a d]
// 2 [bb cc]
// 2
