package main

import (
	"fmt"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	wg.Add(2)
	go func() { defer wg.Done(); defer func() { fmt.Println("got", recover()) }(); panic("in goroutine") }()
	go func() { defer wg.Done() }()
	wg.Wait()
	for i := range 2 {
		func() {
			defer fmt.Println("deferred", i)
			if i == 0 {
				return
			}
			fmt.Println("body")
		}()
	}

}

// Output:
// got in goroutine
// deferred 0
// body
// deferred 1
