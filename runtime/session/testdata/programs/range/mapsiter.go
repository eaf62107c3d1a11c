package main

import (
	"fmt"
	"maps"
	"slices"
)

func main() {
	m := map[string]int{"z": 26, "a": 1, "m": 13}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Print(k, m[k], " ")
	}
	vals := slices.Collect(maps.Values(m))
	slices.Sort(vals)
	fmt.Println(vals)
	c := maps.Collect(maps.All(m))
	c["q"] = 0
	fmt.Println(len(m), len(c), maps.Equal(m, c))
	maps.DeleteFunc(c, func(k string, v int) bool { return v < 10 })
	fmt.Println(c)

}

// Output:
// a1 m13 z26 [1 13 26]
// 3 4 false
// map[m:13 z:26]
