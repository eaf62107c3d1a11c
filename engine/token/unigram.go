package token

import (
	"math"
	"slices"
	"sync"
	"unicode/utf8"
)

// unigram is the model of SentencePiece's Unigram: of all ways to cut a text into tokens the one with the highest sum of
// scores. Source: Kudo 2018, arXiv:1804.10959.
type unigram struct {
	norm   *spNormalizer
	trie   *trie      // of tokens, to their ids
	words  []int32    // the ids of the tokens, in the order of their file
	scores []float32  // per id
	bytes  [256]int32 // None without byte fallback
	unk    int32
	poor   float32 // score of a character that no token stands for
}

// newUnigram returns a model with the tokens of ids.
func newUnigram(ids map[string]int32, order []string, scores []float32) *unigram {
	m := &unigram{trie: newTrie(order, func(p string) int32 { return ids[p] }), scores: scores, poor: float32(math.Inf(1))}
	for _, p := range order {
		m.words = append(m.words, ids[p])
		m.poor = min(m.poor, scores[ids[p]]-10)
	}
	return m
}

// cut is the best way to a place in the text: its last token and where that begins; next is where the token ends that
// the best way through the text has from here.
type cut struct {
	score          float32
	id, from, next int32
	known          bool
}

// rooms lends the places of texts; a text of usual length needs no memory of its own.
var rooms = sync.Pool{New: func() any { return new([]cut) }}

// cuts calls f for the tokens of the best way through text, which is normalised, in order: each with its part of the text.
func (m *unigram) cuts(text string, f func(id int32, part string)) {
	room := rooms.Get().(*[]cut)
	defer rooms.Put(room)
	best := slices.Grow((*room)[:0], len(text)+1)[:len(text)+1]
	*room = best
	clear(best)
	best[0].known = true
	for at := 0; at < len(text); {
		_, char := utf8.DecodeRuneInString(text[at:])
		here := best[at].score
		single := false
		// Sums are float32 as in the original: its rounding decides between ways that are equally good.
		offer := func(to int, id int32, score float32) {
			if c := &best[to]; !c.known || here+score > c.score {
				*c = cut{here + score, id, int32(at), 0, true}
			}
		}
		node := int32(0)
		for i := at; i < len(text); i++ {
			if node = m.trie.child(node, text[i]); node == None {
				break
			}
			if id := m.trie.value[node]; id != None {
				offer(i+1, id, m.scores[id])
				single = single || i+1 == at+char
			}
		}
		if !single {
			offer(at+char, m.unk, m.poor)
		}
		at += char
	}
	for at := int32(len(text)); at > 0; at = best[at].from {
		best[best[at].from].next = at
	}
	for at := int32(0); int(at) < len(text); at = best[at].next {
		to := best[at].next
		f(best[to].id, text[at:to])
	}
}

func (m *unigram) encode(dst []int32, text string, start bool) []int32 {
	from := len(dst)
	m.cuts(m.norm.apply(text, start), func(id int32, part string) {
		if id != m.unk {
			dst = append(dst, id)
		} else {
			dst = spell(dst, from, part, &m.bytes, m.unk)
		}
	})
	return dst
}

func (m *unigram) dropped(text string) int {
	n := 0
	m.cuts(m.norm.apply(text, true), func(id int32, part string) {
		if id == m.unk && !spelled(part, &m.bytes) {
			n += len(part)
		}
	})
	return n
}

func (m *unigram) sum(w *summer) {
	w.text("unigram")
	m.norm.sum(w)
	w.num(int(m.unk))
	for _, id := range m.bytes {
		w.num(int(id))
	}
	for _, s := range m.scores {
		w.num(int(math.Float32bits(s)))
	}
	for _, id := range m.words {
		w.num(int(id))
	}
}
