package main

import (
	"fmt"
	"maps"
	"slices"
)

func main() {
	m := map[string]int{"a": 1, "b": 2}
	c := maps.Clone(m)
	c["c"] = 3
	maps.Copy(m, map[string]int{"z": 26})
	fmt.Println(m, c, maps.Equal(m, c), maps.EqualFunc(m, m, func(a, b int) bool { return a == b }))
	maps.DeleteFunc(c, func(k string, v int) bool { return v%2 == 1 })
	fmt.Println(c, slices.Sorted(maps.Values(m)))
	d := maps.Collect(slices.All([]string{"x", "y"}))
	fmt.Println(d, len(d))
	maps.Insert(c, maps.All(m))
	fmt.Println(c)
	var nm map[string]int
	fmt.Println(maps.Clone(nm) == nil, nm["q"], len(nm))

}

// Output:
// map[a:1 b:2 z:26] map[a:1 b:2 c:3] false true
// map[b:2] [1 2 26]
// map[0:x 1:y] 2
// map[a:1 b:2 z:26]
// true 0 0
