package main

import (
	"fmt"
)

func main() {
	c := make(chan int, 5)
	for i := range 5 {
		c <- i
	}
	close(c)
	for {
		select {
		case v, ok := <-c:
			if !ok {
				fmt.Println("closed")
				return
			}
			if v == 2 {
				break
			}
			fmt.Println(v)
		}
	}

}

// Output:
// 0
// 1
// 3
// 4
// closed
