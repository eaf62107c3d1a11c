package main

import (
	"fmt"
	"time"
)

func Kind[T any](v T) string {
	switch any(v).(type) {
	case int:
		return "int"
	case string:
		return "string"
	case []T:
		return "slice of T"
	case fmt.Stringer:
		return "stringer"
	}
	return fmt.Sprintf("other %T", v)
}
func main() {
	fmt.Println(Kind(1), Kind("s"), Kind(2.5), Kind([]int{1}), Kind(time.Second))

}

// Output:
// int string other float64 other []int stringer
