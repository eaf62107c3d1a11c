package main

import (
	"fmt"
	"strings"
	"unicode"
)

func main() {
	fmt.Println(strings.Fields(" a b  c "), strings.Split("a,b,c", ","), strings.Join([]string{"x", "y"}, "-"), strings.Contains("abc", "b"), strings.Index("chicken", "ken"), strings.ToTitle("go"), strings.TrimLeft("xxabc", "x"), strings.TrimSuffix("a.go", ".go"), strings.Map(func(r rune) rune {
		if r == 'a' {
			return -1
		}
		return unicode.ToUpper(r)
	}, "banana"), strings.EqualFold("Go", "GO"))
	b, a, ok := strings.Cut("k=v", "=")
	fmt.Println(b, a, ok, strings.NewReplacer("a", "1", "b", "2").Replace("abc"), strings.Count("cheese", "e"), strings.LastIndex("go gopher", "go"))
	for i, f := range strings.FieldsFunc("a1b2c3", unicode.IsDigit) {
		fmt.Print(i, f, " ")
	}
	var sb strings.Builder
	for i := 3; i > 0; i-- {
		fmt.Fprintf(&sb, "%d...", i)
	}
	sb.WriteByte('!')
	sb.WriteRune('é')
	fmt.Println(sb.String(), sb.Len())
	for l := range strings.Lines("a\nb\n") {
		fmt.Printf("%q ", l)
	}
	for s := range strings.SplitSeq("x-y", "-") {
		fmt.Print(s, " ")
	}
	fmt.Println()

}

// Output:
// [a b c] [a b c] x-y true 4 GO abc a BNN true
// k v true 12c 3 3
// 0a 1b 2c 3...2...1...!é 15
// "a\n" "b\n" x y
