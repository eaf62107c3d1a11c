package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

var x = "global"

func show() string { return x }
func param(x int) int {
	if x > 1 {
		x := x * 10
		return x
	}
	return x
}
func ret() (x int) {
	if true {
		x := 5
		_ = x
	}
	return
}
func multi() (int, error) {
	x, err := 1, error(nil)
	if x, err := 2, errors.New("inner"); err != nil {
		_ = x
	}
	return x, err
}
func main() {
	fmt.Println(x, show(), param(1), param(2), ret())
	fmt.Println(multi())
	x := 1
	{
		x, y := 2, 3
		x += y
		fmt.Println(x)
	}
	for x := 0; x < 2; x++ {
		x := x + 10
		fmt.Print(x, " ")
	}
	switch x := x + 100; {
	case x > 100:
		x := "case"
		fmt.Println(x)
	}
	f := func() int { x := x; x++; return x }
	fmt.Println(f(), x, show())
	if x := x + 1; x == 2 {
		x := "if"
		fmt.Println(x)
	} else {
		fmt.Println("else", x)
	}
	fmt := fmt.Sprint("shadowed")
	println := func(s string) int { return len(s) }
	os.Stdout.WriteString(fmt + strconv.Itoa(println("abc")) + "\n")

}

// Output:
// global global 1 20 0
// 1 <nil>
// 5
// 10 11 case
// 2 1 global
// if
// shadowed3
