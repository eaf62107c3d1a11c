package main

import (
	"fmt"
)

func Zero[T any]() T                { var z T; return z }
func IsZero[T comparable](v T) bool { var z T; return v == z }
func Ptr[T any](v T) *T             { return &v }

type P struct{ X, Y int }

func main() {
	fmt.Println(Zero[int](), Zero[string]() == "", Zero[*int]() == nil, Zero[P](), IsZero(P{}), IsZero(P{1, 0}), *Ptr(3), *Ptr("s"))

}

// Output:
// 0 true true {0 0} true false 3 s
