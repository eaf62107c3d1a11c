package main

import (
	"fmt"
)

func main() {
	a, b := make(chan int, 1), make(chan string, 1)
	b <- "x"
	select {
	case v := <-a:
		fmt.Println("a", v)
	case s, ok := <-b:
		fmt.Println("b", s, ok)
	}
	select {
	case v := <-a:
		fmt.Println(v)
	default:
		fmt.Println("empty")
	}
	select {
	case a <- 7:
		fmt.Println("sent")
	default:
		fmt.Println("full")
	}
	select {
	case a <- 8:
		fmt.Println("sent")
	default:
		fmt.Println("full")
	}

}

// Output:
// b x true
// empty
// sent
// full
