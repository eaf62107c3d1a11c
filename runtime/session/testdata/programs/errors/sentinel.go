package main

import (
	"errors"
	"fmt"
	"io"
)

var ErrNotFound = errors.New("not found")

type QueryError struct {
	Query string
	Err   error
}

func (q *QueryError) Error() string { return q.Query + ": " + q.Err.Error() }
func (q *QueryError) Unwrap() error { return q.Err }
func lookup(k string) error {
	if k == "" {
		return &QueryError{"empty", ErrNotFound}
	}
	if k == "x" {
		return fmt.Errorf("lookup %s: %w", k, &QueryError{"x", io.ErrUnexpectedEOF})
	}
	return nil
}
func main() {
	for _, k := range []string{"", "x", "ok"} {
		err := lookup(k)
		var qe *QueryError
		switch {
		case err == nil:
			fmt.Println("fine")
		case errors.Is(err, ErrNotFound):
			fmt.Println("nf", err)
		case errors.As(err, &qe):
			fmt.Println("qe", qe.Query, errors.Is(err, io.ErrUnexpectedEOF))
		}
	}
	q, ok := errors.AsType[*QueryError](lookup("x"))
	fmt.Println(q.Query, ok)

}

// Output:
// nf empty: not found
// qe x true
// fine
// x true
