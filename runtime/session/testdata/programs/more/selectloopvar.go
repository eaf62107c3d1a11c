package main

import (
	"fmt"
	"time"
)

func main() {
	cs := []chan int{make(chan int, 1), make(chan int, 1)}
	cs[1] <- 5
	for i := 0; i < 2; i++ {
		select {
		case v := <-cs[i]:
			fmt.Println("got", i, v)
		default:
			fmt.Println("none", i)
		}
	}
	timeout := time.After(5 * time.Millisecond)
	n := 0
	for done := false; !done; {
		select {
		case <-timeout:
			done = true
		default:
			n++
			time.Sleep(time.Millisecond)
		}
	}
	fmt.Println(n > 0)

}

// Output:
// none 0
// got 1 5
// true
