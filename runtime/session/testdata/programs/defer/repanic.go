package main

import (
	"errors"
	"fmt"
	"io"
)

type E struct{ code int }

func (e E) Error() string { return fmt.Sprintf("E%d", e.code) }
func try(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case E:
			err = r
		case error:
			err = fmt.Errorf("wrapped: %w", r)
		default:
			panic(fmt.Sprintf("re-panic %v", r))
		}
	}()
	f()
	return
}
func main() {
	fmt.Println(try(func() { panic(E{4}) }))
	fmt.Println(try(func() { panic(io.EOF) }), errors.Is(try(func() { panic(io.EOF) }), io.EOF))
	func() { defer func() { fmt.Println(recover()) }(); try(func() { panic(42) }) }()

}

// Output:
// E4
// wrapped: EOF true
// re-panic 42
