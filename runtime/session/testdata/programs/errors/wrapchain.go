package main

import (
	"errors"
	"fmt"
	"os"
)

type opErr struct {
	op  string
	err error
}

func (e opErr) Error() string { return e.op + ": " + e.err.Error() }
func (e opErr) Unwrap() error { return e.err }
func chain(n int) error {
	if n == 0 {
		return os.ErrNotExist
	}
	return opErr{fmt.Sprint("op", n), chain(n - 1)}
}
func main() {
	err := chain(3)
	fmt.Println(err, errors.Is(err, os.ErrNotExist))
	for e := err; e != nil; e = errors.Unwrap(e) {
		fmt.Printf("%T\n", e)
	}
	fmt.Println(errors.Unwrap(errors.New("x")) == nil, err == chain(3))

}

// Output:
// op3: op2: op1: file does not exist true
// main.opErr
// main.opErr
// main.opErr
// *errors.errorString
// true true
