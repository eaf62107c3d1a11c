package main

import (
	"cmp"
	"fmt"
)

func qs[T cmp.Ordered](a []T) []T {
	if len(a) < 2 {
		return a
	}
	p := a[len(a)/2]
	var l, m, r []T
	for _, x := range a {
		switch {
		case x < p:
			l = append(l, x)
		case x == p:
			m = append(m, x)
		default:
			r = append(r, x)
		}
	}
	return append(append(qs(l), m...), qs(r)...)
}
func merge(a, b []int) []int {
	out := make([]int, 0, len(a)+len(b))
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if a[i] <= b[j] {
			out = append(out, a[i])
			i++
		} else {
			out = append(out, b[j])
			j++
		}
	}
	out = append(out, a[i:]...)
	return append(out, b[j:]...)
}
func ms(a []int) []int {
	if len(a) < 2 {
		return a
	}
	m := len(a) / 2
	return merge(ms(a[:m]), ms(a[m:]))
}
func bubble(a []int) (swaps int) {
	for i := range a {
		for j := 0; j < len(a)-1-i; j++ {
			if a[j] > a[j+1] {
				a[j], a[j+1] = a[j+1], a[j]
				swaps++
			}
		}
	}
	return
}
func bsearch(a []int, t int) int {
	lo, hi := 0, len(a)-1
	for lo <= hi {
		mid := lo + (hi-lo)/2
		switch {
		case a[mid] == t:
			return mid
		case a[mid] < t:
			lo = mid + 1
		default:
			hi = mid - 1
		}
	}
	return -1
}
func main() {
	fmt.Println(qs([]int{3, 1, 2, 3, 0}), qs([]string{"b", "a"}), qs([]float64{2.5, -1}))
	fmt.Println(ms([]int{5, 2, 9, 1, 5, 6}))
	a := []int{4, 3, 2, 1}
	fmt.Println(bubble(a), a, bsearch(a, 3), bsearch(a, 9))

}

// Output:
// [0 1 2 3 3] [a b] [-1 2.5]
// [1 2 5 5 6 9]
// 6 [1 2 3 4] 2 -1
