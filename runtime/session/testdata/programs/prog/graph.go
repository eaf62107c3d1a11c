package main

import (
	"fmt"
	"slices"
	"sort"
)

type Graph map[string][]string

func (g Graph) AddEdge(a, b string) { g[a] = append(g[a], b); g[b] = append(g[b], a) }
func (g Graph) BFS(from string) (order []string, dist map[string]int) {
	dist = map[string]int{from: 0}
	for q := []string{from}; len(q) > 0; {
		n := q[0]
		q = q[1:]
		order = append(order, n)
		ns := slices.Clone(g[n])
		slices.Sort(ns)
		for _, m := range ns {
			if _, ok := dist[m]; !ok {
				dist[m] = dist[n] + 1
				q = append(q, m)
			}
		}
	}
	return
}
func (g Graph) DFS(n string, seen map[string]bool, visit func(string)) {
	if seen[n] {
		return
	}
	seen[n] = true
	visit(n)
	ns := g[n]
	sort.Strings(ns)
	for _, m := range ns {
		g.DFS(m, seen, visit)
	}
}
func main() {
	g := Graph{}
	for _, e := range [][2]string{{"a", "b"}, {"a", "c"}, {"b", "d"}, {"c", "d"}, {"d", "e"}} {
		g.AddEdge(e[0], e[1])
	}
	fmt.Println(g.BFS("a"))
	var out []string
	g.DFS("a", map[string]bool{}, func(s string) { out = append(out, s) })
	fmt.Println(out)

}

// Output:
// [a b c d e] map[a:0 b:1 c:1 d:2 e:3]
// [a b d c e]
