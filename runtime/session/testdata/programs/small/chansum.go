package main

import (
	"fmt"
)

func main() {
	c := make(chan int)
	go func() {
		defer close(c)
		for i := 1; i <= 100; i++ {
			c <- i
		}
	}()
	s := 0
	for v := range c {
		s += v
	}
	fmt.Println(s)

}

// Output:
// 5050
