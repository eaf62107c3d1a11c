package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

func main() {
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), "k", 42))
	fmt.Println(ctx.Value("k"), ctx.Value("none"), ctx.Err())
	go func() { time.Sleep(time.Millisecond); cancel() }()
	<-ctx.Done()
	fmt.Println(ctx.Err(), errors.Is(ctx.Err(), context.Canceled))
	c2, cancel2 := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel2()
	select {
	case <-c2.Done():
		fmt.Println(c2.Err())
	case <-time.After(time.Second):
		fmt.Println("slow")
	}
	type key struct{}
	c3 := context.WithValue(ctx, key{}, []string{"a"})
	v, ok := c3.Value(key{}).([]string)
	fmt.Println(v, ok)

}

// Output:
// 42 <nil> <nil>
// context canceled true
// context deadline exceeded
// [a] true
