package main

import (
	"fmt"
	"sort"
)

type ByLen []string

func (b ByLen) Len() int           { return len(b) }
func (b ByLen) Less(i, j int) bool { return len(b[i]) < len(b[j]) }
func (b ByLen) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

type P struct {
	N string
	A int
}
type byAge struct{ ps []P }

func (b byAge) Len() int           { return len(b.ps) }
func (b byAge) Less(i, j int) bool { return b.ps[i].A < b.ps[j].A }
func (b byAge) Swap(i, j int)      { b.ps[i], b.ps[j] = b.ps[j], b.ps[i] }
func main() {
	s := []string{"ccc", "a", "bb"}
	sort.Sort(ByLen(s))
	fmt.Println(s)
	sort.Sort(sort.Reverse(ByLen(s)))
	fmt.Println(s, sort.IsSorted(ByLen(s)))
	ps := []P{{"x", 3}, {"y", 1}, {"z", 2}}
	sort.Stable(byAge{ps})
	fmt.Println(ps)
	sort.Slice(ps, func(i, j int) bool { return ps[i].N > ps[j].N })
	fmt.Println(ps)
	sort.Strings(s)
	sort.Sort(sort.IntSlice([]int{2, 1}))
	fmt.Println(s, sort.SearchInts([]int{1, 3, 5}, 4), sort.Search(10, func(i int) bool { return i*i >= 50 }))

}

// Output:
// [a bb ccc]
// [ccc bb a] false
// [{y 1} {z 2} {x 3}]
// [{z 2} {y 1} {x 3}]
// [a bb ccc] 2 8
