package main

import (
	"fmt"
	"time"
)

func main() {
	c := make(chan int)
	select {
	case <-c:
		fmt.Println("got")
	case <-time.After(10 * time.Millisecond):
		fmt.Println("timeout")
	}
	var nilc chan int
	select {
	case <-nilc:
		fmt.Println("never")
	default:
		fmt.Println("nil blocks")
	}
	t := time.NewTicker(2 * time.Millisecond)
	n := 0
	for range t.C {
		n++
		if n == 3 {
			t.Stop()
			break
		}
	}
	fmt.Println(n)

}

// Output:
// timeout
// nil blocks
// 3
