package main

import (
	"errors"
	"fmt"
)

type Code int

func (c Code) Error() string   { return fmt.Sprintf("code %d", int(c)) }
func (c Code) Is(t error) bool { o, ok := t.(Code); return ok && o/100 == c/100 }
func main() {
	err := fmt.Errorf("wrap: %w", Code(404))
	fmt.Println(errors.Is(err, Code(400)), errors.Is(err, Code(500)), errors.Is(err, Code(404)))
	var c Code
	fmt.Println(errors.As(err, &c), c, int(c))

}

// Output:
// true false true
// true code 404 404
