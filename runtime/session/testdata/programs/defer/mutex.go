package main

import (
	"fmt"
	"sync"
)

type Acc struct {
	sync.Mutex
	n int
}

func (a *Acc) Add(k int) int { a.Lock(); defer a.Unlock(); a.n += k; return a.n }
func main() {
	a := &Acc{}
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Add(1)
		go func(k int) { defer wg.Done(); a.Add(k) }(i)
	}
	wg.Wait()
	fmt.Println(a.n)

}

// Output:
// 45
