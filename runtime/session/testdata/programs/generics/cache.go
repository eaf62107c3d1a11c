package main

import (
	"fmt"
	"strconv"
	"sync"
)

type Cache[K comparable, V any] struct {
	mu     sync.Mutex
	m      map[K]V
	load   func(K) (V, error)
	misses int
}

func NewCache[K comparable, V any](load func(K) (V, error)) *Cache[K, V] {
	return &Cache[K, V]{m: make(map[K]V), load: load}
}
func (c *Cache[K, V]) Get(k K) (V, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.m[k]; ok {
		return v, nil
	}
	c.misses++
	v, err := c.load(k)
	if err != nil {
		var zero V
		return zero, fmt.Errorf("get %v: %w", k, err)
	}
	c.m[k] = v
	return v, nil
}
func main() {
	c := NewCache(func(s string) (int, error) { return strconv.Atoi(s) })
	for _, k := range []string{"1", "2", "1", "x"} {
		v, err := c.Get(k)
		fmt.Println(v, err)
	}
	fmt.Println(c.misses)

}

// Output:
// 1 <nil>
// 2 <nil>
// 1 <nil>
// 0 get x: strconv.Atoi: parsing "x": invalid syntax
// 3
