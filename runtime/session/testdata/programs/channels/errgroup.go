package main

import (
	"fmt"
)

type result struct {
	v   int
	err error
}

func work(i int) (int, error) {
	if i == 2 {
		return 0, fmt.Errorf("job %d failed", i)
	}
	return i * i, nil
}
func main() {
	ch := make(chan result)
	for i := range 4 {
		go func() { v, err := work(i); ch <- result{v, err} }()
	}
	sum, errs := 0, []string{}
	for range 4 {
		r := <-ch
		if r.err != nil {
			errs = append(errs, r.err.Error())
			continue
		}
		sum += r.v
	}
	fmt.Println(sum, errs)

}

// Output:
// 10 [job 2 failed]
