package main

import (
	"container/heap"
	"fmt"
)

type PQ[T any] struct {
	xs   []T
	less func(a, b T) bool
}

func (p *PQ[T]) Len() int           { return len(p.xs) }
func (p *PQ[T]) Less(i, j int) bool { return p.less(p.xs[i], p.xs[j]) }
func (p *PQ[T]) Swap(i, j int)      { p.xs[i], p.xs[j] = p.xs[j], p.xs[i] }
func (p *PQ[T]) Push(x any)         { p.xs = append(p.xs, x.(T)) }
func (p *PQ[T]) Pop() any           { x := p.xs[len(p.xs)-1]; p.xs = p.xs[:len(p.xs)-1]; return x }
func main() {
	p := &PQ[string]{less: func(a, b string) bool { return len(a) < len(b) }}
	for _, s := range []string{"ccc", "a", "dddd", "bb"} {
		heap.Push(p, s)
	}
	for p.Len() > 0 {
		fmt.Print(heap.Pop(p), " ")
	}
	fmt.Println()

}

// Output:
// a bb ccc dddd
