package main

import (
	"fmt"
)

type Number interface{ ~int | ~int64 | ~float64 }

func Sum[T Number](xs ...T) (s T) {
	for _, x := range xs {
		s += x
	}
	return
}

type Celsius float64

func main() {
	fmt.Println(Sum(1, 2, 3), Sum(1.5, 2.5), Sum[Celsius](20.5, 1), Sum[int]())
	fmt.Printf("%T %T\n", Sum(Celsius(1)), Sum(int64(1)))

}

// Output:
// 6 4 21.5 0
// main.Celsius int64
