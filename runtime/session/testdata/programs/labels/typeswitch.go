package main

import (
	"fmt"
)

func main() {
	vals := []any{1, "a", 2.5, nil, []int{1}}
loop:
	for i, v := range vals {
		switch x := v.(type) {
		case int:
			if x == 1 {
				continue loop
			}
		case string:
			fmt.Println("str", x)
			break
		case nil:
			fmt.Println("nil at", i)
			break loop
		default:
			fmt.Printf("%T\n", x)
		}
		fmt.Println("after", i)
	}

}

// Output:
// str a
// after 1
// float64
// after 2
// nil at 3
