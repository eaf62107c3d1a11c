package main

import (
	"fmt"
)

func main() {
	out := make(chan int)
	done := make(chan bool)
	go func() {
		for range 3 {
			fmt.Print(<-out, " ")
		}
		close(done)
	}()
	i := 0
	for run := true; run; {
		select {
		case out <- i:
			i++
		case <-done:
			run = false
		}
	}
	fmt.Println(i >= 3)

}

// Output:
// 0 1 2 true
