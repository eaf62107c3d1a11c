package main

import (
	"errors"
	"fmt"
)

type op func(float64, float64) (float64, error)

func main() {
	ops := map[string]op{
		"+": func(a, b float64) (float64, error) { return a + b, nil },
		"/": func(a, b float64) (float64, error) {
			if b == 0 {
				return 0, errors.New("div by zero")
			}
			return a / b, nil
		},
	}
	for _, tc := range []struct {
		name       string
		op         string
		a, b, want float64
		fail       bool
	}{
		{"add", "+", 1, 2, 3, false}, {"div", "/", 1, 4, 0.25, false}, {"zero", "/", 1, 0, 0, true}, {name: "none", op: "?"},
	} {
		f, ok := ops[tc.op]
		if !ok {
			fmt.Println(tc.name, "no op")
			continue
		}
		got, err := f(tc.a, tc.b)
		fmt.Println(tc.name, got == tc.want, (err != nil) == tc.fail, err)
	}

}

// Output:
// add true true <nil>
// div true true <nil>
// zero true true div by zero
// none no op
