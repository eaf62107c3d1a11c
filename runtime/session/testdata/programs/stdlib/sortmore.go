package main

import (
	"fmt"
	"sort"
)

type byKey struct {
	keys []string
	vals map[string]int
}

func (b byKey) Len() int           { return len(b.keys) }
func (b byKey) Swap(i, j int)      { b.keys[i], b.keys[j] = b.keys[j], b.keys[i] }
func (b byKey) Less(i, j int) bool { return b.vals[b.keys[i]] > b.vals[b.keys[j]] }

type planet struct {
	name string
	mass float64
}
type by func(a, b *planet) bool
type sorter struct {
	ps []planet
	by by
}

func (f by) Sort(ps []planet)        { sort.Sort(&sorter{ps, f}) }
func (s *sorter) Len() int           { return len(s.ps) }
func (s *sorter) Swap(i, j int)      { s.ps[i], s.ps[j] = s.ps[j], s.ps[i] }
func (s *sorter) Less(i, j int) bool { return s.by(&s.ps[i], &s.ps[j]) }
func main() {
	m := map[string]int{"a": 1, "b": 5, "c": 3}
	k := byKey{vals: m}
	for s := range m {
		k.keys = append(k.keys, s)
	}
	sort.Sort(k)
	fmt.Println(k.keys)
	ps := []planet{{"M", 0.055}, {"V", 0.815}, {"E", 1}}
	by(func(a, b *planet) bool { return a.name < b.name }).Sort(ps)
	fmt.Println(ps)
	by(func(a, b *planet) bool { return a.mass > b.mass }).Sort(ps)
	fmt.Println(ps)
	xs := []string{"bb", "a", "cc", "d"}
	sort.SliceStable(xs, func(i, j int) bool { return len(xs[i]) < len(xs[j]) })
	fmt.Println(xs, sort.SliceIsSorted(xs, func(i, j int) bool { return len(xs[i]) < len(xs[j]) }))
	fs := sort.Float64Slice{2, 1}
	sort.Sort(sort.Reverse(fs))
	fmt.Println(fs, sort.SearchStrings([]string{"a", "c"}, "b"))

}

// Output:
// [b c a]
// [{E 1} {M 0.055} {V 0.815}]
// [{E 1} {V 0.815} {M 0.055}]
// [a d bb cc] true
// [2 1] 1
