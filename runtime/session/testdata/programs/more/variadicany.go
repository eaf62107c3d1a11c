package main

import (
	"bytes"
	"fmt"
	"strings"
)

func logf(format string, args ...any) string { return fmt.Sprintf("["+format+"]", args...) }
func all(vs ...interface{ Len() int }) (n int) {
	for _, v := range vs {
		n += v.Len()
	}
	return
}

type L int

func (l L) Len() int { return int(l) }
func main() {
	fmt.Println(logf("%v %s %d", L(1), "s", 3), logf("x"), all(L(1), L(2), &bytes.Buffer{}, strings.NewReader("abc")))
	var e error
	fmt.Println(logf("%v", e), logf("%v %v", nil, []any{nil, e}))

}

// Output:
// [1 s 3] [x] 6
// [<nil>] [<nil> [<nil> <nil>]]
