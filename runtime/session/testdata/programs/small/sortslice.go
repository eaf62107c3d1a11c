package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

type E struct {
	n string
	v int
}

func main() {
	es := []E{{"a", 2}, {"b", 1}, {"c", 2}}
	sort.SliceStable(es, func(i, j int) bool { return es[i].v < es[j].v })
	fmt.Println(es)
	slices.SortFunc(es, func(a, b E) int { return strings.Compare(b.n, a.n) })
	fmt.Printf("%+v\n", es)

}

// Output:
// [{b 1} {a 2} {c 2}]
// [{n:c v:2} {n:b v:1} {n:a v:2}]
