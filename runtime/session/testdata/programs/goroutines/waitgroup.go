package main

import (
	"fmt"
	"strings"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	res := make([]string, 3)
	for i, s := range []string{"a", "b", "c"} {
		wg.Go(func() { res[i] = strings.Repeat(s, i+1) })
	}
	wg.Wait()
	fmt.Println(res)
	var mu sync.Mutex
	total := 0
	for i := 1; i <= 10; i++ {
		wg.Add(1)
		go func(n int) { defer wg.Done(); mu.Lock(); defer mu.Unlock(); total += n }(i)
	}
	wg.Wait()
	fmt.Println(total)

}

// Output:
// [a bb ccc]
// 55
