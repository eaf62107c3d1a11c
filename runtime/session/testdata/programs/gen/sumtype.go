package main

import (
	"errors"
	"fmt"
)

type Result[T any] interface{ isResult(T) }
type Ok[T any] struct{ V T }
type Err[T any] struct{ E error }

func (Ok[T]) isResult(T)  {}
func (Err[T]) isResult(T) {}
func div(a, b int) Result[int] {
	if b == 0 {
		return Err[int]{errors.New("zero")}
	}
	return Ok[int]{a / b}
}
func main() {
	for _, r := range []Result[int]{div(6, 3), div(1, 0)} {
		switch r := r.(type) {
		case Ok[int]:
			fmt.Println("ok", r.V)
		case Err[int]:
			fmt.Println("err", r.E)
		}
		fmt.Printf("%T\n", r)
	}

}

// Output:
// ok 2
// main.Ok[int]
// err zero
// main.Err[int]
