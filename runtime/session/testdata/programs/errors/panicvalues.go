package main

import (
	"errors"
	"fmt"
)

type E struct{ N int }

func (e E) Error() string { return fmt.Sprint("E", e.N) }
func do(v any) (out string) {
	defer func() {
		r := recover()
		switch x := r.(type) {
		case error:
			out = "error " + x.Error()
		case string:
			out = "string " + x
		default:
			out = fmt.Sprintf("%T %v", x, x)
		}
	}()
	panic(v)
}
func main() {
	fmt.Println(do("s"), do(E{3}), do(&E{4}), do(5), do(errors.New("x")), do([]int{1}))

}

// Output:
// string s error E3 error E4 int 5 error x []int [1]
