package main

import (
	"fmt"
)

type S struct {
	v  int
	ok bool
	m  map[string]int
}

func main() {
	c := make(chan int, 2)
	c <- 1
	c <- 2
	var s S
	s.m = map[string]int{}
	select {
	case s.v, s.ok = <-c:
	}
	fmt.Println(s)
	select {
	case s.m["k"] = <-c:
	}
	fmt.Println(s.m)
	close(c)
	select {
	case s.v, s.ok = <-c:
		fmt.Println("closed", s.v, s.ok)
	}
	var x any
	d := make(chan string, 1)
	d <- "str"
	select {
	case x = <-d:
		fmt.Println(x)
	}

}

// Output:
// {1 true map[]}
// map[k:2]
// closed 0 false
// str
