package main

import (
	"container/heap"
	"fmt"
	"math"
)

type edge struct{ to, w int }
type item struct{ n, d int }
type pq []item

func (p pq) Len() int           { return len(p) }
func (p pq) Less(i, j int) bool { return p[i].d < p[j].d }
func (p pq) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *pq) Push(x any)        { *p = append(*p, x.(item)) }
func (p *pq) Pop() any          { o := *p; x := o[len(o)-1]; *p = o[:len(o)-1]; return x }
func dijkstra(g map[int][]edge, s, n int) []int {
	dist := make([]int, n)
	for i := range dist {
		dist[i] = math.MaxInt
	}
	dist[s] = 0
	h := &pq{{s, 0}}
	for h.Len() > 0 {
		it := heap.Pop(h).(item)
		if it.d > dist[it.n] {
			continue
		}
		for _, e := range g[it.n] {
			if nd := it.d + e.w; nd < dist[e.to] {
				dist[e.to] = nd
				heap.Push(h, item{e.to, nd})
			}
		}
	}
	return dist
}
func main() {
	fmt.Println(dijkstra(map[int][]edge{0: {{1, 4}, {2, 1}}, 2: {{1, 2}, {3, 7}}, 1: {{3, 1}}}, 0, 4))

}

// Output:
// [0 3 1 4]
