package main

import (
	"fmt"
)

type Stack[T any] []T

func (s *Stack[T]) Push(v T) { *s = append(*s, v) }
func (s *Stack[T]) Pop() (v T, ok bool) {
	if n := len(*s); n > 0 {
		v, *s = (*s)[n-1], (*s)[:n-1]
		return v, true
	}
	return
}
func balanced(s string) bool {
	var st Stack[rune]
	pairs := map[rune]rune{')': '(', ']': '['}
	for _, r := range s {
		switch r {
		case '(', '[':
			st.Push(r)
		case ')', ']':
			if t, ok := st.Pop(); !ok || t != pairs[r] {
				return false
			}
		}
	}
	return len(st) == 0
}
func main() {
	fmt.Println(balanced("([])"), balanced("([)]"), balanced("(("), balanced(""))

}

// Output:
// true false false true
