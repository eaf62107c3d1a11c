package main

import (
	"errors"
	"fmt"
)

func f() (n int, err error) {
	defer func() {
		n *= 2
		if err == nil {
			err = errors.New("set late")
		}
	}()
	return 21, nil
}
func g() (s string) { defer func() { s += "!" }(); s = "a"; return s + "b" }
func main() {
	fmt.Println(f())
	fmt.Println(g())

}

// Output:
// 42 set late
// ab!
