package main

import (
	"fmt"
	"maps"
	"slices"
)

func main() {
	m := map[string]func() string{}
	for i, s := range []string{"a", "b", "c"} {
		m[s] = func() string { return fmt.Sprint(i, s) }
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Println(k, m[k]())
	}

}

// Output:
// a 0a
// b 1b
// c 2c
