package main

import (
	"fmt"
	"strconv"
	"strings"
)

type N int

func (n N) String() string { return "N" + strconv.Itoa(int(n)) }
func Join[T fmt.Stringer](xs []T, sep string) string {
	var b strings.Builder
	for i, x := range xs {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(x.String())
	}
	return b.String()
}
func main() {
	fmt.Println(Join([]N{1, 2, 3}, "-"))

}

// Output:
// N1-N2-N3
