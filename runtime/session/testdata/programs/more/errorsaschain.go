package main

import (
	"errors"
	"fmt"
)

type Temporary interface{ Temporary() bool }
type tmp struct{ error }

func (tmp) Temporary() bool { return true }
func main() {
	err := fmt.Errorf("outer: %w", tmp{errors.New("inner")})
	var t Temporary
	fmt.Println(errors.As(err, &t), t != nil && t.Temporary(), err)
	var te tmp
	fmt.Println(errors.As(err, &te), te.error)

}

// Output:
// true true outer: inner
// true inner
