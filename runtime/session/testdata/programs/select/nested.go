package main

import (
	"fmt"
)

func main() {
	done, ticks := make(chan struct{}), make(chan int)
	go func() {
		for i := range 3 {
			ticks <- i
		}
		close(done)
	}()
	f := func() (s string) {
		for {
			select {
			case t := <-ticks:
				for j := 0; ; j++ {
					if j == t {
						s += fmt.Sprint(j)
						break
					}
				}
			case <-done:
				return s + "."
			}
		}
	}
	fmt.Println(f())

}

// Output:
// 012.
