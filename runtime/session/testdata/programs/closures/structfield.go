package main

import (
	"errors"
	"fmt"
)

type Op struct {
	Name string
	Do   func(a, b float64) (float64, error)
}

func main() {
	ops := []Op{
		{"add", func(a, b float64) (float64, error) { return a + b, nil }},
		{"div", func(a, b float64) (float64, error) {
			if b == 0 {
				return 0, errors.New("divide by zero")
			}
			return a / b, nil
		}},
	}
	for _, o := range ops {
		for _, b := range []float64{2, 0} {
			r, err := o.Do(6, b)
			fmt.Println(o.Name, r, err)
		}
	}

}

// Output:
// add 8 <nil>
// add 6 <nil>
// div 3 <nil>
// div 0 divide by zero
