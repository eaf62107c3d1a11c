package main

import (
	"errors"
	"fmt"
)

type T struct{ open bool }

func (t *T) Close() error { t.open = false; return errors.New("close failed") }
func use() (err error) {
	t := &T{true}
	defer func() {
		if e := t.Close(); e != nil && err == nil {
			err = e
		}
	}()
	return nil
}
func both() (err error) {
	defer func() { err = errors.Join(err, errors.New("second")) }()
	return errors.New("first")
}
func main() {
	fmt.Println(use())
	fmt.Println(both())

}

// Output:
// close failed
// first
// second
