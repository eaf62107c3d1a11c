package main

import (
	"fmt"
	"strings"
	"unicode"
)

func main() {
	var b strings.Builder
	for i := range 3 {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d:%c", i, 'a'+i)
	}
	fmt.Println(b.String(), b.Len())
	b.Reset()
	b.WriteByte('x')
	fmt.Println(b.String())
	r := strings.NewReader("héllo")
	c, n, _ := r.ReadRune()
	c2, n2, _ := r.ReadRune()
	fmt.Println(string(c), n, string(c2), n2, r.Len())
	fmt.Println(strings.TrimFunc("123abc456", unicode.IsDigit), strings.IndexFunc("abc1", unicode.IsDigit), strings.ContainsAny("abc", "xyzc"), strings.SplitN("a-b-c", "-", 2), strings.SplitAfter("a,b", ","), strings.TrimRight("abc...", "."), strings.HasPrefix("go", "g"), strings.Compare("a", "b"))

}

// Output:
// 0:a, 1:b, 2:c 13
// x
// h 1 é 2 3
// abc 3 true [a b-c] [a, b] abc true -1
