package main

import (
	"fmt"
	"sync"
)

type Counter struct {
	sync.Mutex
	m map[string]int
}

func NewCounter() *Counter      { return &Counter{m: map[string]int{}} }
func (c *Counter) Inc(k string) { c.Lock(); defer c.Unlock(); c.m[k]++ }
func (c *Counter) Top() (best string, n int) {
	c.Lock()
	defer c.Unlock()
	for k, v := range c.m {
		if v > n || v == n && k < best {
			best, n = k, v
		}
	}
	return
}
func main() {
	c := NewCounter()
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Add(1)
		go func() { defer wg.Done(); c.Inc(string(rune('a' + i%3))) }()
	}
	wg.Wait()
	fmt.Println(c.Top())
	fmt.Println(c.m)

}

// Output:
// a 10
// map[a:10 b:10 c:10]
