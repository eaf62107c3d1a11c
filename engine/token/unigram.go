package token

import (
	"math"
	"unicode/utf8"
)

// unigram is the model of SentencePiece's Unigram: of all ways to cut a text into tokens the one with the highest sum of
// scores. Source: Kudo 2018, arXiv:1804.10959.
type unigram struct {
	norm   *spNormalizer
	trie   *mergeTable // (node, byte) to the child's number; node 0 is the root
	token  []int32     // per node the token that ends there, or None
	scores []float32   // per id
	bytes  [256]int32  // None without byte fallback
	unk    int32
	poor   float32 // score of a character that no token stands for
}

// newUnigram returns a model with the tokens of ids.
func newUnigram(ids map[string]int32, order []string, scores []float32) *unigram {
	total, least := 1, float32(math.Inf(1))
	for _, p := range order {
		total += len(p)
		least = min(least, scores[ids[p]])
	}
	m := &unigram{trie: newMergeTable(total), token: []int32{None}, scores: scores, poor: least - 10}
	for _, p := range order {
		node := int32(0)
		for i := range len(p) {
			s := m.trie.slot(pairOf(node, int32(p[i])))
			if s.pair == freePair {
				m.trie.put(node, int32(p[i]), 0, int32(len(m.token)))
				m.token = append(m.token, None)
			}
			node = s.id
		}
		m.token[node] = ids[p]
	}
	return m
}

// cut is the best way to a place in the text: its last token and where that begins.
type cut struct {
	score float32
	id    int32
	from  int32
	known bool
}

// cuts returns the tokens of the best way through text, which is normalised, as places and ids in order.
func (m *unigram) cuts(text string) []cut {
	best := make([]cut, len(text)+1)
	best[0].known = true
	for at := 0; at < len(text); {
		_, char := utf8.DecodeRuneInString(text[at:])
		here := best[at].score
		single := false
		// Sums are float32 as in the original: its rounding decides between ways that are equally good.
		offer := func(to int, id int32, score float32) {
			if c := &best[to]; !c.known || here+score > c.score {
				*c = cut{here + score, id, int32(at), true}
			}
		}
		node := int32(0)
		for i := at; i < len(text); i++ {
			s := m.trie.slot(pairOf(node, int32(text[i])))
			if s.pair == freePair {
				break
			}
			node = s.id
			if id := m.token[node]; id != None {
				offer(i+1, id, m.scores[id])
				single = single || i+1 == at+char
			}
		}
		if !single {
			offer(at+char, m.unk, m.poor)
		}
		at += char
	}
	var out []cut
	for at := int32(len(text)); at > 0; {
		c := best[at]
		out = append(out, c)
		at = c.from
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func (m *unigram) encode(dst []int32, text string, start bool) []int32 {
	text = m.norm.apply(text, start)
	from := len(dst)
	list := m.cuts(text)
	for i, c := range list {
		if c.id != m.unk {
			dst = append(dst, c.id)
			continue
		}
		end := int32(len(text))
		if i+1 < len(list) {
			end = list[i+1].from
		}
		dst = spell(dst, from, text[c.from:end], &m.bytes, m.unk)
	}
	return dst
}

func (m *unigram) dropped(text string) int {
	text = m.norm.apply(text, true)
	n := 0
	list := m.cuts(text)
	for i, c := range list {
		end := len(text)
		if i+1 < len(list) {
			end = int(list[i+1].from)
		}
		if c.id == m.unk && !spelled(text[c.from:end], &m.bytes) {
			n += end - int(c.from)
		}
	}
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
	for _, id := range m.token {
		w.num(int(id))
	}
}
