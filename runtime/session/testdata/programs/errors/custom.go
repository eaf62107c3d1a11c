package main

import (
	"errors"
	"fmt"
)

type NotFound struct{ Name string }

func (e NotFound) Error() string { return "not found: " + e.Name }

type Timeout interface {
	error
	Timeout() bool
}
type netErr struct{}

func (netErr) Error() string { return "net" }
func (netErr) Timeout() bool { return true }

var ErrBase = errors.New("base")

func find(n string) error {
	switch n {
	case "a":
		return nil
	case "b":
		return NotFound{n}
	case "c":
		return fmt.Errorf("find %q: %w", n, ErrBase)
	case "d":
		return netErr{}
	}
	return &NotFound{n}
}
func main() {
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		err := find(n)
		var nf NotFound
		var pnf *NotFound
		var to Timeout
		fmt.Println(n, err, err == nil, errors.Is(err, ErrBase), errors.As(err, &nf), errors.As(err, &pnf), errors.As(err, &to))
		switch e := err.(type) {
		case nil:
			fmt.Println("nil")
		case NotFound:
			fmt.Println("NF", e.Name)
		case Timeout:
			fmt.Println("T", e.Timeout())
		case *NotFound:
			fmt.Println("PNF", e.Name)
		default:
			fmt.Printf("%T\n", e)
		}
	}
	fmt.Println(find("b") == NotFound{"b"}, find("b") == find("b"), errors.Is(find("b"), NotFound{"b"}))

}

// Output:
// a <nil> true false false false false
// nil
// b not found: b false false true false false
// NF b
// c find "c": base false true false false false
// *fmt.wrapError
// d net false false false false true
// T true
// e not found: e false false false true false
// PNF e
// true true true
