package main

import (
	"fmt"
)

func main() {
	c := make(chan int)
	go func() {
		defer close(c)
		for i := range 4 {
			c <- i * i
		}
	}()
	for v := range c {
		fmt.Print(v, " ")
	}
	fmt.Println()
	v, ok := <-c
	fmt.Println(v, ok)

}

// Output:
// 0 1 4 9
// 0 false
