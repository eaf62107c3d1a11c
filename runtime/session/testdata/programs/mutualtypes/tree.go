package main

import (
	"fmt"
	"iter"
	"strings"
)

type Node struct {
	Name     string
	Children []*Node
	Parent   *Node
	Meta     map[string][]*Node
}
type Visitor func(n *Node, depth int) (Visitor, bool)

func (n *Node) Add(cs ...*Node) *Node {
	for _, c := range cs {
		c.Parent = n
		n.Children = append(n.Children, c)
	}
	return n
}
func (n *Node) Path() string {
	if n.Parent == nil {
		return "/" + n.Name
	}
	return n.Parent.Path() + "/" + n.Name
}
func (n *Node) Walk(v func(*Node) bool) bool {
	if !v(n) {
		return false
	}
	for _, c := range n.Children {
		if !c.Walk(v) {
			return false
		}
	}
	return true
}
func (n *Node) All() iter.Seq[*Node] { return func(yield func(*Node) bool) { n.Walk(yield) } }
func main() {
	leaf := &Node{Name: "leaf"}
	root := (&Node{Name: "top"}).Add((&Node{Name: "a"}).Add(leaf), &Node{Name: "b"})
	fmt.Println(leaf.Path(), len(root.Children))
	for n := range root.All() {
		if n.Name == "b" {
			break
		}
		fmt.Print(n.Name, " ")
	}
	fmt.Println()
	var v Visitor
	v = func(n *Node, d int) (Visitor, bool) { fmt.Print(strings.Repeat("-", d), n.Name, " "); return v, d < 1 }
	var visit func(*Node, Visitor, int)
	visit = func(n *Node, v Visitor, d int) {
		next, ok := v(n, d)
		if !ok {
			return
		}
		for _, c := range n.Children {
			visit(c, next, d+1)
		}
	}
	visit(root, v, 0)
	fmt.Println()

}

// Output:
// /top/a/leaf 2
// top a leaf
// top -a -b
