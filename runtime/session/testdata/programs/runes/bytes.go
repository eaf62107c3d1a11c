package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

func main() {
	b := []byte("hello")
	for i := range b {
		b[i] -= 32
	}
	fmt.Println(string(b), bytes.Contains(b, []byte("LL")), bytes.ToLower(b), bytes.Equal(b, []byte("HELLO")))
	b = append(b, " wörld"...)
	fmt.Printf("%s %q %x %d\n", b, b[6:9], b[:2], len(b))
	var buf bytes.Buffer
	buf.WriteByte('a')
	buf.WriteRune('é')
	buf.WriteString("z")
	fmt.Fprintf(&buf, "%03d", 7)
	fmt.Println(buf.String(), buf.Len())
	r, n, err := bytes.NewReader([]byte("é!")).ReadRune()
	fmt.Println(r, n, err, bytes.Fields([]byte(" a b ")), bytes.Split([]byte("a,b"), []byte(",")))
	c := 'x'
	c++
	c -= 'a'
	fmt.Println(c, string(c+'A'), byte('a')+1, '0'+5, "abc"[1]-'a', rune("é"[0]))
	s := []rune("añb")
	s[1] = 'n'
	fmt.Println(string(s), len(s), string(s[0:2]))
	for _, w := range []string{"level", "été", "go"} {
		rs := []rune(w)
		ok := true
		for i, j := 0, len(rs)-1; i < j; i, j = i+1, j-1 {
			if rs[i] != rs[j] {
				ok = false
			}
		}
		fmt.Print(w, " ", ok, " ")
	}
	fmt.Println(utf8.ValidString("a\xff"), utf8.RuneLen('世'), strings.ToValidUTF8("a\xffb", "?"))

}

// Output:
// HELLO true [104 101 108 108 111] true
// HELLO wörld "wö" 4845 12
// aéz007 7
// 233 2 <nil> [[97] [98]] [[97] [98]]
// 24 Y 98 53 1 195
// anb 3 an
// level true été true go false false 3 a?b
