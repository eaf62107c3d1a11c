package main

import (
	"fmt"
)

type M map[string]M

func (m M) Add(path ...string) {
	for _, p := range path {
		if m[p] == nil {
			m[p] = M{}
		}
		m = m[p]
	}
}
func main() {
	m := M{}
	m.Add("a", "b")
	m.Add("a", "c")
	fmt.Println(m, len(m["a"]))

}

// Output:
// map[a:map[b:map[] c:map[]]] 2
