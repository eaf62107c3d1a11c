package main

import "fmt"

type Node struct {
	Name     string
	Children []*Node
	Parent   *Node
}
type Visitor func(n *Node) Visitor

func (n *Node) Add(cs ...*Node) *Node {
	for _, c := range cs {
		n.Children = append(n.Children, c)
	}
	return n
}
func main() {
	r := &Node{Name: "x"}
	r.Add(&Node{Name: "y"})
	var v Visitor
	fmt.Println(len(r.Children), v == nil)
}

// Output:
// 1 true
