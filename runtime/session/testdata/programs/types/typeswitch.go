package main

import (
	"errors"
	"fmt"
)

type Kind int
type Named struct{ s string }

func (n Named) String() string { return "N:" + n.s }
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case bool:
		return fmt.Sprint("bool ", !v)
	case int, int8:
		return fmt.Sprintf("int-ish %v", v)
	case uint8:
		return "byte"
	case rune:
		return "rune " + string(v)
	case float64:
		return fmt.Sprintf("%.1f", v)
	case string:
		return "string " + v
	case Kind:
		return fmt.Sprint("Kind ", int(v))
	case []int:
		return fmt.Sprint("ints ", len(v))
	case map[string]int:
		return "map"
	case func() int:
		return fmt.Sprint("func ", v())
	case error:
		return "error " + v.Error()
	case *int:
		return fmt.Sprint("ptr ", *v)
	case fmt.Stringer:
		return "stringer " + v.String()
	case struct{}:
		return "empty"
	case chan int:
		return "chan"
	default:
		return fmt.Sprintf("? %T", v)
	}
}
func main() {
	n := 3
	for _, v := range []any{nil, true, 1, int8(2), byte(3), 'x', 2.5, "s", Kind(7), []int{1}, map[string]int{}, func() int { return 9 }, errors.New("e"), &n, Named{"q"}, struct{}{}, make(chan int), 3i, [2]int{}} {
		fmt.Println(describe(v))
	}

}

// Output:
// nil
// bool false
// int-ish 1
// int-ish 2
// byte
// rune x
// 2.5
// string s
// Kind 7
// ints 1
// map
// func 9
// error e
// ptr 3
// stringer N:q
// empty
// chan
// ? complex128
// ? [2]int
