package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

type P struct {
	N string
	A int
}

func main() {
	xs := []int{5, 2, 8, 2}
	ys := slices.Sorted(slices.Values(xs))
	fmt.Println(xs, ys, slices.IndexFunc(xs, func(i int) bool { return i > 5 }), slices.Contains(xs, 9))
	fmt.Println(slices.Replace(slices.Clone(xs), 1, 3, 7, 7, 7), slices.Insert(slices.Clone(xs), 2, 0), slices.Delete(slices.Clone(xs), 0, 2))
	fmt.Println(slices.CompactFunc([]string{"a", "A", "b"}, strings.EqualFold), slices.EqualFunc(xs, []string{"5"}, func(i int, s string) bool { return strconv.Itoa(i) == s }))
	ps := []P{{"b", 1}, {"a", 2}, {"c", 1}}
	slices.SortFunc(ps, func(a, b P) int {
		if c := cmp.Compare(a.A, b.A); c != 0 {
			return c
		}
		return cmp.Compare(a.N, b.N)
	})
	fmt.Println(ps, slices.ContainsFunc(ps, func(p P) bool { return p.N == "a" }))
	fmt.Println(slices.MinFunc(ps, func(a, b P) int { return cmp.Compare(a.N, b.N) }), slices.Max([]float64{1, 3, 2}), slices.Min([]string{"b", "a"}))
	fmt.Println(slices.IsSortedFunc(ps, func(a, b P) int { return cmp.Compare(b.A, a.A) }), slices.Repeat([]int{1}, 3), slices.Grow([]int{1}, 10)[:1], len(slices.Clip(make([]int, 2, 9))))
	fmt.Println(slices.Collect(slices.Chunk([]int{1, 2, 3}, 2)), slices.AppendSeq([]int{0}, slices.Values(xs)))
	func() { defer func() { fmt.Println(recover()) }(); slices.Max([]int{}) }()

}

// Output:
// [5 2 8 2] [2 2 5 8] 2 false
// [5 7 7 7 2] [5 2 0 8 2] [8 2]
// [a b] false
// [{b 1} {c 1} {a 2}] true
// {a 2} 3 a
// false [1 1 1] [1] 2
// [[1 2] [3]] [0 5 2 8 2]
// slices.Max: empty list
