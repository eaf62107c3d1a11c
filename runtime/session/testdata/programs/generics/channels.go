package main

import (
	"fmt"
	"slices"
	"sync"
)

func Merge[T any](cs ...<-chan T) <-chan T {
	out := make(chan T)
	var wg sync.WaitGroup
	for _, c := range cs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for v := range c {
				out <- v
			}
		}()
	}
	go func() { wg.Wait(); close(out) }()
	return out
}
func Src[T any](xs ...T) <-chan T {
	c := make(chan T, len(xs))
	for _, x := range xs {
		c <- x
	}
	close(c)
	return c
}
func main() {
	var got []int
	for v := range Merge(Src(1, 2), Src(3), Src[int]()) {
		got = append(got, v)
	}
	slices.Sort(got)
	fmt.Println(got)

}

// Output:
// [1 2 3]
