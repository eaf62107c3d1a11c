package main

import (
	"fmt"
)

func main() {
	var k, v any
	for k, v = range []string{"a"} {
		fmt.Println(k, v)
	}
	var i int
	for i = range 5 {
		if i == 3 {
			break
		}
	}
	fmt.Println(i)
	s := struct {
		x int
		m map[string]int
	}{}
	for s.x = range []int{1, 2, 3} {
	}
	fmt.Println(s.x)
	arr := [4]int{}
	for arr[1] = range 3 {
	}
	fmt.Println(arr)
	for _, c := range []byte("ab") {
		fmt.Print(string(c))
	}
	for i, x := range [...]string{2: "c", 0: "a"} {
		fmt.Print(i, x, ",")
	}
	var np *[3]int
	for i := range np {
		fmt.Print(i)
	}
	fmt.Println(len(np))
	for k, v := range map[int]string(nil) {
		fmt.Println(k, v)
	}

}

// Output:
// 0 a
// 3
// 2
// [0 2 0 0]
// ab0a,1,2c,0123
