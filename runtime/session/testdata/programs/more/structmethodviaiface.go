package main

import (
	"fmt"
)

type A interface {
	M(int, ...string) (int, error)
}
type T struct{ k int }

func (t *T) M(n int, s ...string) (int, error) {
	if n < 0 {
		return 0, fmt.Errorf("neg %d %v", n, s)
	}
	return n + t.k + len(s), nil
}
func main() {
	var a A = &T{10}
	fmt.Println(a.M(1, "x", "y"))
	fmt.Println(a.M(-1))
	v, err := a.M(2, []string{"q"}...)
	fmt.Println(v, err)
	f := a.M
	fmt.Println(f(5))

}

// Output:
// 13 <nil>
// 0 neg -1 []
// 13 <nil>
// 15 <nil>
