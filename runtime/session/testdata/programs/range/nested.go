package main

import (
	"fmt"
	"sort"
)

func main() {
	m := map[string][]int{"a": {1, 2}, "b": {3}}
	keys := make([]string, 0)
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		for i, v := range m[k] {
			m[k][i] = v * 10
		}
	}
	fmt.Println(m)
	grid := [3][3]int{}
	for i := range grid {
		for j := range grid[i] {
			grid[i][j] = i * j
		}
	}
	fmt.Println(grid)
	for i, row := range grid {
		for j := range row {
			row[j] = 7
		}
		grid[i][0] = row[0]
	}
	fmt.Println(grid)

}

// Output:
// map[a:[10 20] b:[30]]
// [[0 0 0] [0 1 2] [0 2 4]]
// [[7 0 0] [7 1 2] [7 2 4]]
