package main

import (
	"fmt"
)

func main() {
	primes := []int{}
next:
	for n := 2; len(primes) < 10; n++ {
		for _, p := range primes {
			if n%p == 0 {
				continue next
			}
			if p*p > n {
				break
			}
		}
		primes = append(primes, n)
	}
	fmt.Println(primes)

}

// Output:
// [2 3 5 7 11 13 17 19 23 29]
