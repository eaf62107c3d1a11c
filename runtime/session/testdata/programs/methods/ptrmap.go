package main

import (
	"fmt"
	"strings"
)

type Node struct {
	val  int
	next *Node
}
type List struct {
	head, tail *Node
	size       int
}

func (l *List) Push(v int) {
	n := &Node{val: v}
	if l.tail == nil {
		l.head, l.tail = n, n
	} else {
		l.tail.next = n
		l.tail = n
	}
	l.size++
}
func (l *List) Reverse() {
	var prev *Node
	l.tail = l.head
	for cur := l.head; cur != nil; {
		cur.next, prev, cur = prev, cur, cur.next
	}
	l.head = prev
}
func (l *List) String() string {
	var b strings.Builder
	for n := l.head; n != nil; n = n.next {
		if n != l.head {
			b.WriteString("->")
		}
		fmt.Fprint(&b, n.val)
	}
	return b.String()
}
func main() {
	l := &List{}
	for i := range 5 {
		l.Push(i)
	}
	fmt.Println(l)
	l.Reverse()
	fmt.Println(l, l.size, l.head.val, l.tail.val)

}

// Output:
// 0->1->2->3->4
// 4->3->2->1->0 5 4 0
