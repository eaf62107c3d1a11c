package main

import (
	"errors"
	"fmt"
	"io"
)

type E struct {
	Op  string
	Err error
}

func (e *E) Error() string { return e.Op + ": " + e.Err.Error() }
func (e *E) Unwrap() error { return e.Err }
func main() {
	var err error = &E{"read", io.EOF}
	fmt.Println(err, errors.Is(err, io.EOF), errors.Unwrap(err) == io.EOF)
	fmt.Printf("%v|%s|%q|%T\n", err, err, err, err)
	w := fmt.Errorf("ctx: %w", err)
	var e *E
	fmt.Println(w, errors.As(w, &e), e.Op, errors.Is(w, io.EOF))
	j := errors.Join(err, errors.New("two"))
	fmt.Println(j, errors.Is(j, io.EOF), errors.As(j, &e))

}

// Output:
// read: EOF true true
// read: EOF|read: EOF|"read: EOF"|*main.E
// ctx: read: EOF true read true
// read: EOF
// two true true
