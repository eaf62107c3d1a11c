package token

import "slices"

// trie finds all words that begin at a place of a text. It is a double array: the child of node n by byte b is
// base[n]^b where that place says that n is its parent. Node 0 is the root.
type trie struct {
	base, parent []int32 // parent is None where nothing is
	value        []int32 // of the word that ends at a node, None for none
}

// newTrie returns the trie of words, each with its value.
func newTrie(words []string, value func(word string) int32) *trie {
	words = slices.Compact(slices.Sorted(slices.Values(words)))
	t := &trie{}
	t.grow(256)
	t.parent[0] = 0
	free := int32(1) // no place below is free
	var add func(node int32, words []string, depth int)
	add = func(node int32, words []string, depth int) {
		if len(words[0]) == depth {
			t.value[node] = value(words[0])
			if words = words[1:]; len(words) == 0 {
				return
			}
		}
		var bytes []byte
		var from []int
		for i, w := range words {
			if i == 0 || w[depth] != words[i-1][depth] {
				bytes, from = append(bytes, w[depth]), append(from, i)
			}
		}
		from = append(from, len(words))
		for int(free) < len(t.parent) && t.parent[free] != None {
			free++
		}
		base := t.fit(free, bytes)
		t.base[node] = base
		for _, b := range bytes {
			t.parent[base^int32(b)] = node
		}
		for i, b := range bytes {
			add(base^int32(b), words[from[i]:from[i+1]], depth+1)
		}
	}
	if len(words) > 0 {
		add(0, words, 0)
	}
	return t
}

// grow makes room for n places, a multiple of 256.
func (t *trie) grow(n int) {
	for len(t.parent) < n {
		t.base, t.parent, t.value = append(t.base, 0), append(t.parent, None), append(t.value, None)
	}
}

// fit returns a base for which the places of all bytes are free; the first of them lies at free or after it.
func (t *trie) fit(free int32, bytes []byte) int32 {
	for at := free; ; at++ {
		t.grow((int(at) | 255) + 1)
		if t.parent[at] != None {
			continue
		}
		base := at ^ int32(bytes[0])
		if !slices.ContainsFunc(bytes[1:], func(b byte) bool { return t.parent[base^int32(b)] != None }) {
			return base
		}
	}
}

// child returns the node that follows node by b, None when there is none.
func (t *trie) child(node int32, b byte) int32 {
	n := t.base[node] ^ int32(b)
	if t.parent[n] != node || n == 0 {
		return None
	}
	return n
}
