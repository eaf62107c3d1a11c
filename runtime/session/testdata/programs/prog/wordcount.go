package main

import (
	"fmt"
	"sort"
	"strings"
)

func main() {
	text := "the cat the dog a cat the end"
	freq := map[string]int{}
	for _, w := range strings.Fields(text) {
		freq[w]++
	}
	type kv struct {
		k string
		v int
	}
	var kvs []kv
	for k, v := range freq {
		kvs = append(kvs, kv{k, v})
	}
	sort.Slice(kvs, func(i, j int) bool {
		if kvs[i].v != kvs[j].v {
			return kvs[i].v > kvs[j].v
		}
		return kvs[i].k < kvs[j].k
	})
	for i, e := range kvs {
		fmt.Printf("%d. %-4s %s\n", i+1, e.k, strings.Repeat("*", e.v))
	}

}

// Output:
// 1. the  ***
// 2. cat  **
// 3. a    *
// 4. dog  *
// 5. end  *
