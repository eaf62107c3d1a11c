package main

import (
	"fmt"
	"strings"
)

type Matrix [][]float64

func NewMatrix(r, c int) Matrix {
	m := make(Matrix, r)
	for i := range m {
		m[i] = make([]float64, c)
	}
	return m
}
func (m Matrix) Mul(n Matrix) (Matrix, error) {
	if len(m[0]) != len(n) {
		return nil, fmt.Errorf("shape mismatch %dx%d * %dx%d", len(m), len(m[0]), len(n), len(n[0]))
	}
	out := NewMatrix(len(m), len(n[0]))
	for i := range m {
		for j := range n[0] {
			for k := range n {
				out[i][j] += m[i][k] * n[k][j]
			}
		}
	}
	return out, nil
}
func (m Matrix) T() Matrix {
	t := NewMatrix(len(m[0]), len(m))
	for i, r := range m {
		for j, v := range r {
			t[j][i] = v
		}
	}
	return t
}
func (m Matrix) String() string {
	var sb strings.Builder
	for _, r := range m {
		fmt.Fprintln(&sb, r)
	}
	return sb.String()
}
func main() {
	a := Matrix{{1, 2}, {3, 4}, {5, 6}}
	p, err := a.Mul(a.T())
	fmt.Print(p, err, "\n")
	_, err = a.Mul(a)
	fmt.Println(err)

}

// Output:
// [5 11 17]
// [11 25 39]
// [17 39 61]
//  <nil>
// shape mismatch 3x2 * 3x2
