package main

import (
	"fmt"
)

func main() {
	g := map[string]map[string]float64{}
	set := func(a, b string, v float64) {
		if _, ok := g[a]; !ok {
			g[a] = make(map[string]float64)
		}
		g[a][b] = v
	}
	set("a", "b", 1)
	set("a", "c", 2.5)
	set("b", "a", 0.1)
	fmt.Println(g, len(g["a"]), g["z"]["q"])
	type key struct{ x, y int }
	visited := map[key]struct{}{}
	visited[key{1, 2}] = struct{}{}
	_, ok := visited[key{1, 2}]
	_, ok2 := visited[key{2, 1}]
	fmt.Println(ok, ok2)
	cnt := map[bool]int{}
	for i := range 5 {
		cnt[i%2 == 0]++
	}
	fmt.Println(cnt)

}

// Output:
// map[a:map[b:1 c:2.5] b:map[a:0.1]] 2 0
// true false
// map[false:2 true:3]
