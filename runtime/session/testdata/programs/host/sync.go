package main

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
)

func main() {
	var mu sync.RWMutex
	var once sync.Once
	m := map[int]int{}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Add(1)
		go func() { defer wg.Done(); once.Do(func() { fmt.Println("once") }); mu.Lock(); m[i%5]++; mu.Unlock() }()
	}
	wg.Wait()
	mu.RLock()
	fmt.Println(m)
	mu.RUnlock()
	var n atomic.Int64
	var k int32
	for range 10 {
		wg.Add(1)
		go func() { defer wg.Done(); n.Add(2); atomic.AddInt32(&k, 1) }()
	}
	wg.Wait()
	fmt.Println(n.Load(), k)
	var sm sync.Map
	sm.Store("a", 1)
	v, ok := sm.Load("a")
	fmt.Println(v, ok)
	p := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	bf := p.Get().(*bytes.Buffer)
	bf.WriteString("pool")
	fmt.Println(bf)
	p.Put(bf)
	get := sync.OnceValue(func() int { fmt.Println("computing"); return 7 })
	fmt.Println(get(), get())
	cond := sync.NewCond(&sync.Mutex{})
	ready := false
	go func() { cond.L.Lock(); ready = true; cond.L.Unlock(); cond.Broadcast() }()
	cond.L.Lock()
	for !ready {
		cond.Wait()
	}
	cond.L.Unlock()
	fmt.Println("ready")

}

// Output:
// once
// map[0:4 1:4 2:4 3:4 4:4]
// 20 10
// 1 true
// pool
// computing
// 7 7
// ready
