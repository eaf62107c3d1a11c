package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

type V struct{ Field, Msg string }

func (v V) Error() string { return v.Field + " " + v.Msg }

type Vs []V

func (vs Vs) Error() string {
	var s []string
	for _, v := range vs {
		s = append(s, v.Error())
	}
	return strings.Join(s, "; ")
}
func (vs Vs) Unwrap() []error {
	var es []error
	for _, v := range vs {
		es = append(es, v)
	}
	return es
}
func validate(m map[string]string) error {
	var vs Vs
	for _, f := range []string{"name", "mail"} {
		if m[f] == "" {
			vs = append(vs, V{f, "is empty"})
		}
	}
	if len(vs) == 0 {
		return nil
	}
	return vs
}
func main() {
	err := validate(map[string]string{"name": "x"})
	fmt.Println(err)
	err = validate(nil)
	fmt.Println(err, errors.Is(err, V{"mail", "is empty"}))
	var v V
	fmt.Println(errors.As(err, &v), v.Field, validate(map[string]string{"name": "a", "mail": "b"}) == nil)
	w := fmt.Errorf("two: %w and %w", io.EOF, V{"f", "m"})
	fmt.Println(w, errors.Is(w, io.EOF), errors.As(w, &v), v)

}

// Output:
// mail is empty
// name is empty; mail is empty true
// true name true
// two: EOF and f m true true f m
