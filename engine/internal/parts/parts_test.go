package parts

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// TestEach: every element is in one part, and no part is longer than asked, on one thread and on several.
func TestEach(t *testing.T) {
	for _, threads := range []int{1, 3} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		for _, c := range [][2]int{{0, 4}, {1, 4}, {4, 4}, {5, 4}, {1000, 7}, {3, 1000}} {
			n, size := c[0], c[1]
			seen := make([]atomic.Int32, n)
			Each(n, size, func(from, to int) {
				if from%size != 0 || to-from > size || to <= from {
					t.Errorf("%d in parts of %d: a part from %d to %d", n, size, from, to)
				}
				for i := from; i < to; i++ {
					seen[i].Add(1)
				}
			})
			for i := range seen {
				if got := seen[i].Load(); got != 1 {
					t.Errorf("%d in parts of %d: element %d was done %d times", n, size, i, got)
				}
			}
		}
	}
}
