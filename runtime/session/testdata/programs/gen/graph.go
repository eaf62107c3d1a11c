package main

import (
	"fmt"
)

type ID interface{ comparable }
type Graph[K ID] struct{ adj map[K]map[K]int }

func (g *Graph[K]) Edge(a, b K, w int) {
	if g.adj == nil {
		g.adj = map[K]map[K]int{}
	}
	if g.adj[a] == nil {
		g.adj[a] = map[K]int{}
	}
	g.adj[a][b] = w
}
func (g *Graph[K]) Reach(from K) int {
	seen := map[K]bool{}
	var dfs func(K)
	dfs = func(k K) {
		if seen[k] {
			return
		}
		seen[k] = true
		for n := range g.adj[k] {
			dfs(n)
		}
	}
	dfs(from)
	return len(seen)
}

type P struct{ x, y int }

func main() {
	var g Graph[string]
	g.Edge("a", "b", 1)
	g.Edge("b", "c", 2)
	g.Edge("c", "a", 3)
	fmt.Println(g.Reach("a"), g.adj["b"]["c"], g.Reach("z"))
	var h Graph[P]
	h.Edge(P{0, 0}, P{0, 1}, 5)
	fmt.Println(h.Reach(P{}), h.adj)

}

// Output:
// 3 2 1
// 2 map[{0 0}:map[{0 1}:5]]
