package main

import (
	"fmt"
	"sync"
)

type Broker struct {
	mu     sync.RWMutex
	subs   map[string][]chan string
	closed bool
}

func (b *Broker) Sub(t string) <-chan string {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := make(chan string, 4)
	if b.subs == nil {
		b.subs = map[string][]chan string{}
	}
	b.subs[t] = append(b.subs[t], c)
	return c
}
func (b *Broker) Pub(t, m string) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return
	}
	for _, c := range b.subs[t] {
		c <- m
	}
}
func (b *Broker) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		for _, cs := range b.subs {
			for _, c := range cs {
				close(c)
			}
		}
	}
}
func main() {
	b := &Broker{}
	x, y := b.Sub("t"), b.Sub("t")
	b.Pub("t", "1")
	b.Pub("t", "2")
	b.Pub("u", "none")
	b.Close()
	b.Pub("t", "3")
	for m := range x {
		fmt.Print("x", m, " ")
	}
	for m := range y {
		fmt.Print("y", m, " ")
	}
	fmt.Println()

}

// Output:
// x1 x2 y1 y2
