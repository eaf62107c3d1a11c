package main

import (
	"errors"
	"fmt"
	"sync"
)

func main() {
	var once sync.Once
	calls := 0
	for range 3 {
		once.Do(func() { calls++ })
	}
	get := sync.OnceValues(func() (int, error) { calls++; return calls, errors.New("e") })
	v, err := get()
	v2, _ := get()
	fmt.Println(calls, v, v2, err)
	f := sync.OnceFunc(func() { fmt.Println("once func") })
	f()
	f()

}

// Output:
// 2 2 2 e
// once func
