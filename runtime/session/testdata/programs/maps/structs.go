package main

import (
	"fmt"
)

type P struct {
	n    int
	tags []string
}

func main() {
	m := map[string]P{"a": {1, nil}}
	p := m["a"]
	p.n = 5
	m["a"] = p
	mp := map[string]*P{"x": {n: 1}}
	mp["x"].n++
	mp["x"].tags = append(mp["x"].tags, "t")
	fmt.Println(m, *mp["x"], m["zz"], mp["zz"] == nil)
	if v, ok := m["a"]; ok {
		fmt.Println(v.n)
	}
	_, ok := m["q"]
	fmt.Println(ok)
	delete(m, "a")
	delete(m, "none")
	fmt.Println(len(m))
	cnt := map[rune]int{}
	for _, r := range "hello" {
		cnt[r]++
	}
	fmt.Println(cnt['l'], cnt)
	mm := map[string]map[string]int{}
	if mm["a"] == nil {
		mm["a"] = map[string]int{}
	}
	mm["a"]["b"] += 3
	fmt.Println(mm)
	ms := map[string][]int{}
	ms["k"] = append(ms["k"], 1, 2)
	fmt.Println(ms)
	k := map[[2]int]bool{{1, 2}: true}
	fmt.Println(k[[2]int{1, 2}], k[[2]int{}])
	f := map[string]func(int) int{"sq": func(i int) int { return i * i }}
	fmt.Println(f["sq"](4))

}

// Output:
// map[a:{5 []}] {2 [t]} {0 []} true
// 5
// false
// 0
// 2 map[101:1 104:1 108:2 111:1]
// map[a:map[b:3]]
// map[k:[1 2]]
// true false
// 16
