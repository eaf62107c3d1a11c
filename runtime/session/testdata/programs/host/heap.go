package main

import (
	"container/heap"
	"fmt"
)

type Item struct {
	v      string
	p, idx int
}
type PQ []*Item

func (q PQ) Len() int           { return len(q) }
func (q PQ) Less(i, j int) bool { return q[i].p > q[j].p }
func (q PQ) Swap(i, j int)      { q[i], q[j] = q[j], q[i]; q[i].idx = i; q[j].idx = j }
func (q *PQ) Push(x any)        { it := x.(*Item); it.idx = len(*q); *q = append(*q, it) }
func (q *PQ) Pop() any {
	old := *q
	n := len(old)
	it := old[n-1]
	old[n-1] = nil
	*q = old[:n-1]
	return it
}

type IntHeap []int

func (h IntHeap) Len() int           { return len(h) }
func (h IntHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h IntHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *IntHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *IntHeap) Pop() any          { o := *h; x := o[len(o)-1]; *h = o[:len(o)-1]; return x }
func main() {
	q := PQ{}
	heap.Init(&q)
	for i, s := range []string{"lo", "hi", "mid"} {
		heap.Push(&q, &Item{v: s, p: []int{1, 9, 5}[i]})
	}
	q[2].p = 100
	heap.Fix(&q, 2)
	for q.Len() > 0 {
		it := heap.Pop(&q).(*Item)
		fmt.Print(it.v, ":", it.p, " ")
	}
	fmt.Println()
	h := &IntHeap{5, 2, 8}
	heap.Init(h)
	heap.Push(h, 3)
	for h.Len() > 0 {
		fmt.Print(heap.Pop(h), " ")
	}
	fmt.Println()

}

// Output:
// mid:100 hi:9 lo:1
// 2 3 5 8
