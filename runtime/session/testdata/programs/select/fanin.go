package main

import (
	"fmt"
	"sort"
)

func src(name string, n int) <-chan string {
	c := make(chan string)
	go func() {
		defer close(c)
		for i := range n {
			c <- fmt.Sprint(name, i)
		}
	}()
	return c
}
func main() {
	a, b := src("a", 2), src("b", 3)
	var got []string
	for a != nil || b != nil {
		select {
		case v, ok := <-a:
			if !ok {
				a = nil
				continue
			}
			got = append(got, v)
		case v, ok := <-b:
			if !ok {
				b = nil
				continue
			}
			got = append(got, v)
		}
	}
	sort.Strings(got)
	fmt.Println(got)

}

// Output:
// [a0 a1 b0 b1 b2]
