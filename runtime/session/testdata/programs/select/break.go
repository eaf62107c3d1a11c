package main

import (
	"fmt"
)

func main() {
	c := make(chan int)
	go func() {
		for i := range 5 {
			c <- i
		}
		close(c)
	}()
	n := 0
L:
	for {
		select {
		case v, ok := <-c:
			switch {
			case !ok:
				break L
			case v == 3:
				continue L
			}
			n += v
		}
	}
	fmt.Println(n)

}

// Output:
// 7
