package main

import (
	"fmt"
	"io"
)

func main() {
	f := func(x int) string {
		switch {
		case x < 0:
			return "neg"
		case x == 0:
			return "zero"
		case x < 10, x == 100:
			return "small or hundred"
		}
		return "big"
	}
	for _, x := range []int{-1, 0, 5, 100, 50} {
		fmt.Print(f(x), ", ")
	}
	fmt.Println()
	switch c := 'x'; {
	case 'a' <= c && c <= 'z':
		fmt.Println("lower")
		fallthrough
	case c == 'y':
		fmt.Println("fell")
	default:
		fmt.Println("default")
	}
	switch s := "a"; s + "b" {
	default:
		fmt.Println("d")
	case "ab":
		fmt.Println("ab")
	}
	switch x := any(3); x {
	case "3":
		fmt.Println("str")
	case 3:
		fmt.Println("int")
	case nil:
		fmt.Println("nil")
	}
	type T struct{ a int }
	switch (T{1}) {
	case T{2}:
		fmt.Println("2")
	case T{1}:
		fmt.Println("T1")
	}
	switch err := error(nil); err {
	case nil:
		fmt.Println("nil err")
	case io.EOF:
		fmt.Println("eof")
	}
	n := 0
	switch n++; n {
	case 1:
		n *= 10
		if n > 5 {
			break
		}
		n = 0
	case 10:
		n = -1
	}
	fmt.Println(n)
	switch {
	}
	switch f := 2.0; f {
	case 1, 2, 3:
		fmt.Println("float", f)
	}
	var p *int
	switch p {
	case nil:
		fmt.Println("nil ptr")
	}
	switch b := n > 5; b {
	case true:
		fmt.Println("t")
	case false:
		fmt.Println("f")
	}

}

// Output:
// neg, zero, small or hundred, small or hundred, big,
// lower
// fell
// ab
// int
// T1
// nil err
// 10
// float 2
// nil ptr
// t
