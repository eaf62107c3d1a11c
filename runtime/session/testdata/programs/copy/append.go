package main

import (
	"fmt"
)

func main() {
	s := make([]int, 3, 3)
	t := append(s, 1)
	t[0] = 9
	fmt.Println(s, t, len(t))
	u := s[:2]
	v := append(u, 7)
	fmt.Println(s, v)
	w := append(s[:1:1], 5)
	fmt.Println(s, w)
	a := []int{1, 2, 3, 4, 5}
	copy(a[1:], a)
	fmt.Println(a, copy(a, []int{9}), a)
	b := append([]int(nil), a...)
	b[0] = 100
	fmt.Println(a[0], b[0])
	m := [][]int{{1}, {2}}
	n := append([][]int{}, m...)
	n[0][0] = 50
	n[1] = []int{60}
	fmt.Println(m, n)
	var nils []string
	nils = append(nils, nils...)
	fmt.Println(nils == nil, len(append(nils, "", "")))
	x := []byte("abc")
	y := x[:1]
	y = append(y, 'Z')
	fmt.Println(string(x), string(y))
	f := func(s []int) { s[0] = -1; s = append(s, 99); s[1] = -2 }
	g := []int{1, 2}
	f(g)
	fmt.Println(g)
	h := make([]int, 2, 10)
	h2 := h
	h2 = append(h2, 3)
	h = append(h, 4)
	fmt.Println(h, h2)
	r := a[1:3]
	r = r[:4]
	fmt.Println(r, len(r), cap(r) >= 4)
	clear(r)
	fmt.Println(a)

}

// Output:
// [0 0 0] [9 0 0 1] 4
// [0 0 7] [0 0 7]
// [0 0 7] [0 5]
// [9 1 2 3 4] 1 [9 1 2 3 4]
// 9 100
// [[50] [2]] [[50] [60]]
// true 2
// aZc aZ
// [-1 2]
// [0 0 4] [0 0 4]
// [1 2 3 4] 4 true
// [9 0 0 0 0]
