package main

import (
	"fmt"
)

type P struct {
	X int
	S string
}
type Q struct {
	P
	A [2]int
}

func main() {
	a, b := P{1, "a"}, P{1, "a"}
	fmt.Println(a == b, &a == &b, Q{a, [2]int{1, 2}} == Q{b, [2]int{1, 2}}, [2]P{a} == [2]P{b})
	var i, j any = a, b
	fmt.Println(i == j, i != any(P{2, "a"}), any(1) == any(1.0), any("x") == any("x"))
	m := map[P]int{a: 1}
	m[b]++
	fmt.Println(m, len(m))
	mk := map[any]string{1: "int", "1": "string", 1.0: "float", P{1, ""}: "P"}
	fmt.Println(mk[1], mk["1"], mk[1.0], mk[P{1, ""}], len(mk))

}

// Output:
// true false true true
// true true false true
// map[{1 a}:2] 1
// int string float P 4
