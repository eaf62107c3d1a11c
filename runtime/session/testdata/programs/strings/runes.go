package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

func main() {
	s := "héllo, 世界"
	fmt.Println(len(s), utf8.RuneCountInString(s), s[1], s[1:3], string(s[0]), []byte(s)[:3])
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	fmt.Println(string(r))
	c, n := utf8.DecodeRuneInString(s[1:])
	fmt.Printf("%c %d %U %q\n", c, n, c, c)
	b := []byte("abc")
	b[0] = 'X'
	fmt.Println(string(b), "abc" < "abd", "a"+"b" == "ab")
	x := `raw\n
two`
	fmt.Println(x, len(x), "\u00e9\x41\t|")
	fmt.Println(strings.ToUpper(s), strings.Title("foo bar"), 'a' < 'b', string(rune('a'+1)))
	for _, w := range strings.Fields("to be or") {
		fmt.Print(w[:1], len(w), " ")
	}
	fmt.Println(unicode.IsUpper('É'), unicode.IsLetter('世'), string([]rune{0x4e16}))

}

// Output:
// 14 9 195 é h [104 195 169]
// 界世 ,olléh
// é 2 U+00E9 'é'
// Xbc true true
// raw\n
// two 9 éA	|
// HÉLLO, 世界 Foo Bar true b
// t2 b2 o2 true true 世
