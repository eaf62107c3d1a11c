package main

import (
	"fmt"
)

func main() {
	m := map[string]int{"a": 1}
	c := make(chan int, 1)
	func() { defer delete(m, "a"); defer close(c); defer println2("x"); fmt.Println(len(m)) }()
	_, ok := <-c
	fmt.Println(len(m), ok)
}
func println2(s string) { fmt.Println("p", s) }
func unused() {

}

// Output:
// 1
// p x
// 0 false
