package main

import (
	"fmt"
)

func gen(n int) <-chan int {
	c := make(chan int)
	go func() {
		defer close(c)
		for i := 1; i <= n; i++ {
			c <- i
		}
	}()
	return c
}
func sq(in <-chan int) <-chan int {
	out := make(chan int)
	go func() {
		for v := range in {
			out <- v * v
		}
		close(out)
	}()
	return out
}
func main() {
	total := 0
	for v := range sq(sq(gen(5))) {
		total += v
	}
	fmt.Println(total)

}

// Output:
// 979
