package main

import (
	"fmt"
	"strings"
)

type Tree struct {
	Left, Right *Tree
	Val         int
}

func (t *Tree) Insert(v int) *Tree {
	if t == nil {
		return &Tree{Val: v}
	}
	if v < t.Val {
		t.Left = t.Left.Insert(v)
	} else {
		t.Right = t.Right.Insert(v)
	}
	return t
}
func (t *Tree) Walk(f func(int)) {
	if t == nil {
		return
	}
	t.Left.Walk(f)
	f(t.Val)
	t.Right.Walk(f)
}
func (t *Tree) Depth() int {
	if t == nil {
		return 0
	}
	return 1 + max(t.Left.Depth(), t.Right.Depth())
}

type Node struct {
	Name   string
	Kids   []Node
	Parent *Node
	Attr   map[string]*Node
}

func main() {
	var t *Tree
	for _, v := range []int{5, 3, 8, 1, 4, 9} {
		t = t.Insert(v)
	}
	t.Walk(func(v int) { fmt.Print(v, " ") })
	fmt.Println(t.Depth())
	n := Node{Name: "root", Kids: []Node{{Name: "a"}, {Name: "b", Kids: []Node{{Name: "c"}}}}}
	n.Attr = map[string]*Node{"self": &n}
	var walk func(Node, int)
	walk = func(n Node, d int) {
		fmt.Println(strings.Repeat("  ", d) + n.Name)
		for _, k := range n.Kids {
			walk(k, d+1)
		}
	}
	walk(n, 0)
	fmt.Println(n.Attr["self"].Kids[1].Kids[0].Name)

}

// Output:
// 1 3 4 5 8 9 3
// root
//   a
//   b
//     c
// c
