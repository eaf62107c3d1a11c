package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

func main() {
	var n atomic.Int32
	var p atomic.Pointer[string]
	var b atomic.Bool
	var av atomic.Value
	type cfg struct{ v int }
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() { defer wg.Done(); n.Add(3); b.Store(true) }()
	}
	wg.Wait()
	s := "ptr"
	fmt.Println(n.Load(), b.Load(), p.Load() == nil, p.CompareAndSwap(nil, &s), *p.Load())
	av.Store(cfg{7})
	fmt.Println(av.Load().(cfg).v)
	var u uint64
	fmt.Println(atomic.AddUint64(&u, 5), atomic.CompareAndSwapUint64(&u, 5, 9), atomic.LoadUint64(&u))

}

// Output:
// 24 true true true ptr
// 7
// 5 true 9
