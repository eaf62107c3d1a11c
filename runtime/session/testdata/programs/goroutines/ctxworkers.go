package main

import (
	"context"
	"fmt"
	"sort"
	"sync"
)

func worker(ctx context.Context, id int, in <-chan int, out chan<- string) {
	for {
		select {
		case <-ctx.Done():
			return
		case v, ok := <-in:
			if !ok {
				return
			}
			select {
			case out <- fmt.Sprintf("w%d", v*v):
			case <-ctx.Done():
				return
			}
		}
	}
}
func main() {
	ctx, cancel := context.WithCancel(context.Background())
	in, out := make(chan int), make(chan string, 10)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Add(1)
		go func() { defer wg.Done(); worker(ctx, i, in, out) }()
	}
	for i := range 5 {
		in <- i
	}
	close(in)
	wg.Wait()
	close(out)
	var rs []string
	for s := range out {
		rs = append(rs, s)
	}
	sort.Strings(rs)
	fmt.Println(rs)
	cancel()
	fmt.Println(ctx.Err())

}

// Output:
// [w0 w1 w16 w4 w9]
// context canceled
