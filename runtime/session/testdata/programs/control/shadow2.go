package main

import (
	"fmt"
	"strconv"
)

func main() {
	var err error
	v := 0
	if v, err := strconv.Atoi("12"); err == nil {
		fmt.Println("in", v)
	}
	v, err = strconv.Atoi("zz")
	fmt.Println(v, err != nil)
	len := func(s string) string { return "my" + s }
	fmt.Println(len("x"))
	string := 3
	fmt.Println(string + 1)
	true := false
	fmt.Println(true)

}

// Output:
// in 12
// 0 true
// myx
// 4
// false
