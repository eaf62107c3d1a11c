package main

import (
	"fmt"
	"sync"
)

func main() {
	jobs, results := make(chan int, 10), make(chan [2]int, 10)
	var wg sync.WaitGroup
	for w := 1; w <= 3; w++ {
		wg.Add(1)
		go func(id int) {
			defer wg.Done()
			for j := range jobs {
				results <- [2]int{j, j * 2}
			}
		}(w)
	}
	for i := range 6 {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	close(results)
	sum := map[int]int{}
	for r := range results {
		sum[r[0]] = r[1]
	}
	fmt.Println(sum)

}

// Output:
// map[0:0 1:2 2:4 3:6 4:8 5:10]
