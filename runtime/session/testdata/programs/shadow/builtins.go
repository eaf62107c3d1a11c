package main

import (
	"fmt"
)

func max(a, b string) string { return a + "|" + b }

type string2 = string

func main() {
	fmt.Println(max("a", "b"))
	cap := 3
	new := func(i int) int { return i + cap }
	fmt.Println(new(4))
	any := "any"
	error := []int{1}
	iota := 7
	copy := map[string2]int{any: iota}
	fmt.Println(any, error, iota, copy)
	int := 2.5
	fmt.Println(int * 2)
	true, false := false, true
	fmt.Println(true, false)
	append := func(s []string, x ...string) []string { return s }
	fmt.Println(len(append([]string{"a"}, "b", "c")))

}

// Output:
// a|b
// 7
// any [1] 7 map[any:7]
// 5
// false true
// 1
