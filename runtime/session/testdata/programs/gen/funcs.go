package main

import (
	"fmt"
	"strconv"
	"strings"
)

func Compose[A, B, C any](f func(A) B, g func(B) C) func(A) C { return func(a A) C { return g(f(a)) } }
func Curry[A, B, C any](f func(A, B) C) func(A) func(B) C {
	return func(a A) func(B) C { return func(b B) C { return f(a, b) } }
}
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
func Try[T any](f func() T) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("caught: %v", r)
		}
	}()
	return f(), nil
}
func Apply[T any](v T, fs ...func(T) T) T {
	for _, f := range fs {
		v = f(v)
	}
	return v
}
func main() {
	fmt.Println(Compose(strconv.Itoa, func(s string) []byte { return []byte(s) })(65))
	fmt.Println(Curry(func(a int, b string) string { return strings.Repeat(b, a) })(3)("x"))
	fmt.Println(Must(strconv.Atoi("12")))
	fmt.Println(Try(func() int { return Must(strconv.Atoi("zz")) }))
	fmt.Println(Try(func() string { return "fine" }))
	fmt.Println(Apply(2, func(i int) int { return i + 1 }, func(i int) int { return i * 10 }))

}

// Output:
// [54 53]
// xxx
// 12
// 0 caught: strconv.Atoi: parsing "zz": invalid syntax
// fine <nil>
// 30
