package main

import (
	"fmt"
	"time"
)

func main() {
	var v any = 42
	n, ok := v.(int)
	s, ok2 := v.(string)
	fmt.Println(n, ok, s == "", ok2)
	if f, ok := v.(fmt.Stringer); !ok {
		fmt.Println("no stringer", f == nil)
	}
	v = time.Second
	if f, ok := v.(fmt.Stringer); ok {
		fmt.Println(f)
	}

}

// Output:
// 42 true true false
// no stringer true
// 1s
