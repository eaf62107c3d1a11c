package main

import (
	"fmt"
	"maps"
	"slices"
)

type Trie struct {
	kids map[rune]*Trie
	end  bool
}

func (t *Trie) Insert(w string) {
	n := t
	for _, r := range w {
		if n.kids == nil {
			n.kids = map[rune]*Trie{}
		}
		c, ok := n.kids[r]
		if !ok {
			c = &Trie{}
			n.kids[r] = c
		}
		n = c
	}
	n.end = true
}
func (t *Trie) Words(p string) (ws []string) {
	n := t
	for _, r := range p {
		n = n.kids[r]
		if n == nil {
			return nil
		}
	}
	var walk func(*Trie, string)
	walk = func(n *Trie, s string) {
		if n.end {
			ws = append(ws, s)
		}
		rs := slices.Sorted(maps.Keys(n.kids))
		for _, r := range rs {
			walk(n.kids[r], s+string(r))
		}
	}
	walk(n, p)
	return
}
func main() {
	t := &Trie{}
	for _, w := range []string{"car", "cart", "cat", "dog", "über"} {
		t.Insert(w)
	}
	fmt.Println(t.Words("ca"), t.Words("x"), t.Words(""), len(t.kids))

}

// Output:
// [car cart cat] [] [car cart cat dog über] 3
