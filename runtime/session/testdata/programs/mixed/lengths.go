package main

import "fmt"

type T struct{ s []int }

func (t T) n() int { return len(t.s) }
func main() {
	s := []int{1}
	u := []int{1, 2}
	fmt.Println(len(s) >= len(s), len(s) < 0 || len(s) >= len(s), len(s) == len(s) && len(u) > len(s))
	if len(s) < 0 || len(s) >= len(s) {
		fmt.Println("ok1")
	}
	if len(s) == 0 || len(u) == 2 {
		fmt.Println("ok2")
	}
	if len(u) >= len(u) {
		fmt.Println("ok3")
	}
	if len(s) < 0 || len(s) == 1 {
		fmt.Println("ok4")
	}
	if len(s) > 0 && len(u) > 0 && len(u) > len(s) {
		fmt.Println("ok5")
	}
	t := T{u}
	if t.n() < 0 || t.n() >= t.n() {
		fmt.Println("ok6")
	}
	x := len(s) < 0 || len(s) >= len(s)
	fmt.Println(x)
	f := func() bool { return len(s) < 0 || len(s) >= len(s) }
	fmt.Println(f())
	for len(s) < 0 || len(s) >= len(s) {
		s = append(s, 1)
		if len(s) > 3 {
			break
		}
	}
	fmt.Println(len(s))
	a := [3]int{}
	fmt.Println(len(a) >= len(a), cap(s) >= cap(s), len("abc") <= len("abc"))
	str := "hey"
	if len(str) < 1 || len(str) >= len(str) {
		fmt.Println("ok7")
	}
	m := map[string]int{}
	if m["a"] < 0 || m["a"] >= m["a"] {
		fmt.Println("ok8")
	}
	if u[0] < 0 || u[0] >= u[0] {
		fmt.Println("ok9")
	}
	i, j := 1, 1
	if i+j < 0 || i+j >= j+i {
		fmt.Println("ok10")
	}
}

// Output:
// true true true
// ok1
// ok2
// ok3
// ok4
// ok5
// ok6
// true
// true
// 4
// true true true
// ok7
// ok8
// ok9
// ok10
