package main

import (
	"errors"
	"fmt"
)

func main() {
	base := errors.New("base")
	e := fmt.Errorf("a: %w", fmt.Errorf("b: %w", base))
	fmt.Println(e, errors.Is(e, base), errors.Unwrap(errors.Unwrap(e)) == base, errors.Unwrap(base))

}

// Output:
// a: b: base true true <nil>
