package main

import (
	"fmt"
	"slices"
)

func hanoi(n int, a, b, c string, move func(string, string)) int {
	if n == 0 {
		return 0
	}
	k := hanoi(n-1, a, c, b, move)
	move(a, c)
	return k + 1 + hanoi(n-1, b, a, c, move)
}
func perms(xs []int) (out [][]int) {
	if len(xs) <= 1 {
		return [][]int{slices.Clone(xs)}
	}
	for i, x := range xs {
		rest := append(slices.Clone(xs[:i]), xs[i+1:]...)
		for _, p := range perms(rest) {
			out = append(out, append([]int{x}, p...))
		}
	}
	return
}
func ack(m, n int) int {
	switch {
	case m == 0:
		return n + 1
	case n == 0:
		return ack(m-1, 1)
	}
	return ack(m-1, ack(m, n-1))
}
func queens(n int) (count int) {
	cols, d1, d2 := map[int]bool{}, map[int]bool{}, map[int]bool{}
	var place func(int)
	place = func(r int) {
		if r == n {
			count++
			return
		}
		for c := range n {
			if cols[c] || d1[r+c] || d2[r-c] {
				continue
			}
			cols[c], d1[r+c], d2[r-c] = true, true, true
			place(r + 1)
			cols[c], d1[r+c], d2[r-c] = false, false, false
		}
	}
	place(0)
	return
}
func subsets[T any](xs []T) [][]T {
	if len(xs) == 0 {
		return [][]T{{}}
	}
	var out [][]T
	for _, s := range subsets(xs[1:]) {
		out = append(out, s, append([]T{xs[0]}, s...))
	}
	return out
}
func collatz(n int, memo map[int]int) int {
	if n == 1 {
		return 0
	}
	if v, ok := memo[n]; ok {
		return v
	}
	next := n / 2
	if n%2 == 1 {
		next = 3*n + 1
	}
	memo[n] = 1 + collatz(next, memo)
	return memo[n]
}
func main() {
	steps := 0
	fmt.Println(hanoi(4, "A", "B", "C", func(string, string) { steps++ }), steps)
	fmt.Println(perms([]int{1, 2, 3}), ack(2, 3), queens(5), subsets([]string{"a", "b"}), collatz(27, map[int]int{}))

}

// Output:
// 15 15
// [[1 2 3] [1 3 2] [2 1 3] [2 3 1] [3 1 2] [3 2 1]] 9 10 [[] [a] [b] [a b]] 111
