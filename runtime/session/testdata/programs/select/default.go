package main

import (
	"fmt"
)

func main() {
	c := make(chan int, 1)
	for i := range 4 {
		select {
		case c <- i:
			fmt.Println("sent", i)
		default:
			select {
			case v := <-c:
				fmt.Println("drained", v)
			default:
				fmt.Println("?")
			}
		}
	}
	func() {
		for {
			select {
			case v := <-c:
				fmt.Println("last", v)
				return
			default:
				fmt.Println("empty")
				return
			}
		}
	}()

}

// Output:
// sent 0
// drained 0
// sent 2
// drained 2
// empty
