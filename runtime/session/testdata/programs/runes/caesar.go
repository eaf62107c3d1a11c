package main

import (
	"fmt"
	"strings"
	"unicode"
)

func shift(r rune, n int) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return 'a' + (r-'a'+rune(n)+26)%26
	case unicode.IsUpper(r):
		return 'A' + (r-'A'+rune(n)+26)%26
	}
	return r
}
func caesar(s string, n int) string { return strings.Map(func(r rune) rune { return shift(r, n) }, s) }
func main() {
	e := caesar("Hello, Wörld xyz", 3)
	fmt.Println(e, caesar(e, -3))
	counts := [26]int{}
	for _, r := range strings.ToLower("Banana") {
		counts[r-'a']++
	}
	for i, c := range counts {
		if c > 0 {
			fmt.Printf("%c%d ", 'a'+i, c)
		}
	}
	fmt.Println()

}

// Output:
// Khoor, Zöuog abc Hello, Wörld xyz
// a3 b1 n2
