// Package parts shares work on a range among the threads.
package parts

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls f for the parts of 0 … n, size long but for the last, on all threads, and returns when all are done. What f computes
// of an element must not depend on who does it or when.
func Each(n, size int, f func(from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+size-1)/size)
	if workers < 2 {
		for from := 0; from < n; from += size {
			f(from, min(n, from+size))
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for from := int(next.Add(int64(size))) - size; from < n; from = int(next.Add(int64(size))) - size {
				f(from, min(n, from+size))
			}
		})
	}
	wg.Wait()
}
