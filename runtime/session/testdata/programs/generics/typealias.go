package main

import (
	"fmt"
)

type IntMap[V any] = map[int]V
type Vec = []float64

func (p *Poly) add(v Vec) { p.cs = append(p.cs, v...) }

type Poly struct{ cs Vec }

func main() {
	m := IntMap[string]{1: "a"}
	p := &Poly{}
	p.add(Vec{1, 2})
	fmt.Printf("%v %v %T %T\n", m, p.cs, m, p.cs)

}

// Output:
// map[1:a] [1 2] map[int]string []float64
