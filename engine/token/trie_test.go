package token

import (
	"math/rand/v2"
	"testing"
)

// Every word is found with its value at its end, and nothing else is, whatever bytes words have.
func TestTrie(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		want := map[string]int32{}
		var words []string
		letters := 1 + rng.IntN(256)
		for range 1 + rng.IntN(300) {
			w := make([]byte, 1+rng.IntN(6))
			for i := range w {
				w[i] = byte(rng.IntN(letters))
			}
			if _, ok := want[string(w)]; !ok {
				want[string(w)] = int32(len(words))
			}
			words = append(words, string(w))
		}
		tr := newTrie(words, func(w string) int32 { return want[w] })
		for range 2000 {
			w := make([]byte, 1+rng.IntN(7))
			for i := range w {
				w[i] = byte(rng.IntN(letters + 1))
			}
			if rng.IntN(2) == 0 {
				copy(w, words[rng.IntN(len(words))])
			}
			node, got := int32(0), None
			for _, b := range w {
				if node = tr.child(node, b); node == None {
					break
				}
			}
			if node != None {
				got = tr.value[node]
			}
			if id, ok := want[string(w)]; ok && got != id || !ok && got != None {
				t.Fatalf("round %d: %q: value %d, want %d (known: %v)", round, w, got, id, ok)
			}
		}
	}
	if tr := newTrie(nil, nil); tr.child(0, 'a') != None || tr.child(0, 0) != None {
		t.Error("an empty trie has a child")
	}
}
