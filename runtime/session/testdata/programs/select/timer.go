package main

import (
	"fmt"
	"time"
)

func main() {
	t := time.NewTimer(time.Hour)
	fmt.Println(t.Stop())
	t.Reset(time.Millisecond)
	<-t.C
	fmt.Println("fired")
	d := make(chan string, 1)
	time.AfterFunc(time.Millisecond, func() { d <- "after" })
	fmt.Println(<-d)

}

// Output:
// true
// fired
// after
