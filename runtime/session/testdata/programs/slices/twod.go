package main

import (
	"fmt"
	"strings"
)

func main() {
	m := make([][]rune, 3)
	for i := range m {
		m[i] = []rune(strings.Repeat(".", 4))
	}
	m[1][2] = '#'
	for _, r := range m {
		fmt.Println(string(r))
	}
	t := [][]int{{1}, {2, 3}, {}}
	t = append(t, []int{4})
	t[2] = append(t[2], 9)
	fmt.Println(t, len(t))
	s := []struct{ a []int }{{[]int{1}}}
	s[0].a = append(s[0].a, 2)
	s[0].a[0]++
	fmt.Println(s)

}

// Output:
// ....
// ..#.
// ....
// [[1] [2 3] [9] [4]] 4
// [{[2 2]}]
