package main

import (
	"fmt"
)

func find(m [][]int, v int) (int, int) {
	for i, r := range m {
		for j, x := range r {
			if x == v {
				goto found_
			}
			_ = j
		}
		_ = i
		continue
	found_:
		return i, len(r)
	}
	return -1, -1
}
func retry(n int) (tries int) {
retry:
	tries++
	if tries < n {
		goto retry
	}
	if tries > 100 {
		goto fail
	}
	return tries
fail:
	return -1
}
func state(s string) string {
	i, out := 0, ""
start:
	if i >= len(s) {
		goto end
	}
	switch s[i] {
	case 'a':
		out += "A"
		i++
		goto start
	case 'b':
		goto b
	}
	for {
		i++
		if i > 1 {
			goto start
		}
		break
	}
	goto start
b:
	out += "[b]"
	i++
	goto start
end:
	return out
}
func main() {
	fmt.Println(find([][]int{{1}, {2, 3}}, 3))
	fmt.Println(retry(3), retry(200))
	fmt.Println(state("abab"), state("xab"))

}

// Output:
// 1 2
// 3 -1
// A[b]A[b] A[b]
