package main

import (
	"fmt"
)

func main() {
	data, quit := make(chan int), make(chan struct{})
	go func() {
		for i := range 3 {
			data <- i
		}
		close(quit)
	}()
	sum := 0
	for done := false; !done; {
		select {
		case v := <-data:
			sum += v
		case <-quit:
			done = true
		}
	}
	fmt.Println(sum)
loop:
	for i := 0; ; i++ {
		select {
		case <-quit:
			if i > 2 {
				break loop
			}
			continue
		}
	}
	fmt.Println("out")

}

// Output:
// 3
// out
