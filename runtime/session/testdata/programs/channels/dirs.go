package main

import (
	"fmt"
)

func produce(c chan<- string, s string) { c <- s }
func consume(c <-chan string) string    { return <-c }

type Msg struct {
	id    int
	reply chan string
}

func main() {
	c := make(chan string, 1)
	produce(c, "hi")
	fmt.Println(consume(c), len(c), cap(c))
	reqs := make(chan Msg)
	go func() {
		for m := range reqs {
			m.reply <- fmt.Sprint("re:", m.id)
		}
	}()
	for i := range 2 {
		r := make(chan string)
		reqs <- Msg{i, r}
		fmt.Println(<-r)
	}
	cc := make(chan chan int, 1)
	ci := make(chan int, 1)
	cc <- ci
	ci <- 5
	fmt.Println(<-<-cc)
	var fc = make(chan func() int, 1)
	fc <- func() int { return 3 }
	fmt.Println((<-fc)())

}

// Output:
// hi 0 1
// re:0
// re:1
// 5
// 3
