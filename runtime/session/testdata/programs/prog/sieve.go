package main

import (
	"fmt"
)

func main() {
	n := 50
	composite := make([]bool, n+1)
	var primes []int
	for i := 2; i <= n; i++ {
		if composite[i] {
			continue
		}
		primes = append(primes, i)
		for j := i * i; j <= n; j += i {
			composite[j] = true
		}
	}
	fmt.Println(primes, len(primes))
	gen := func() <-chan int {
		c := make(chan int)
		go func() {
			for i := 2; ; i++ {
				c <- i
			}
		}()
		return c
	}
	filter := func(in <-chan int, p int) <-chan int {
		out := make(chan int)
		go func() {
			for {
				if v := <-in; v%p != 0 {
					out <- v
				}
			}
		}()
		return out
	}
	c := gen()
	for range 8 {
		p := <-c
		fmt.Print(p, " ")
		c = filter(c, p)
	}
	fmt.Println()

}

// Output:
// [2 3 5 7 11 13 17 19 23 29 31 37 41 43 47] 15
// 2 3 5 7 11 13 17 19
