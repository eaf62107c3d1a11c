package main

import (
	"container/list"
	"fmt"
)

type LRU[K comparable, V any] struct {
	cap int
	ll  *list.List
	m   map[K]*list.Element
}
type entry[K comparable, V any] struct {
	k K
	v V
}

func New[K comparable, V any](n int) *LRU[K, V] {
	return &LRU[K, V]{n, list.New(), map[K]*list.Element{}}
}
func (c *LRU[K, V]) Get(k K) (v V, ok bool) {
	if e, hit := c.m[k]; hit {
		c.ll.MoveToFront(e)
		return e.Value.(*entry[K, V]).v, true
	}
	return
}
func (c *LRU[K, V]) Put(k K, v V) {
	if e, ok := c.m[k]; ok {
		e.Value.(*entry[K, V]).v = v
		c.ll.MoveToFront(e)
		return
	}
	c.m[k] = c.ll.PushFront(&entry[K, V]{k, v})
	if c.ll.Len() > c.cap {
		e := c.ll.Back()
		c.ll.Remove(e)
		delete(c.m, e.Value.(*entry[K, V]).k)
	}
}
func main() {
	c := New[string, int](2)
	c.Put("a", 1)
	c.Put("b", 2)
	c.Get("a")
	c.Put("c", 3)
	for _, k := range []string{"a", "b", "c"} {
		fmt.Println(c.Get(k))
	}

}

// Output:
// 1 true
// 0 false
// 3 true
