package main

import (
	"fmt"
	"time"
)

func main() {
	start := time.Now()
	time.Sleep(2 * time.Millisecond)
	fmt.Println(time.Since(start) >= 2*time.Millisecond, time.Until(start) < 0)
	tk := time.NewTicker(time.Millisecond)
	defer tk.Stop()
	n := 0
	for range tk.C {
		if n++; n == 2 {
			break
		}
	}
	fmt.Println(n)

}

// Output:
// true true
// 2
