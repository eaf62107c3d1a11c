package token

import (
	"container/heap"
	"fmt"
	"iter"
	"sort"
)

// TrainConfig says what BPE to train.
type TrainConfig struct {
	VocabSize int          // ids in all: special tokens, the 256 bytes, merges
	Pre       PreTokenizer // how text is cut; no token crosses a cut
	Special   []string     // control tokens; they get the first ids, in this order
	BOS, EOS  string       // which of Special begin and end a text; empty for none
	AddBOS    bool         // texts are to begin with BOS
	MinCount  int          // a pair seen less often is not merged; 0 means 2
}

// TrainBPE returns a byte-level BPE learned from texts: starting from single bytes, the pair of neighbours that is most
// frequent inside the pieces becomes a token, until the vocabulary is full. Of equally frequent pairs the one with the
// lower left id goes first, then the one with the lower right id, so equal texts in any order give equal tokenizers.
// Ids are the special tokens, then the bytes in order, then the merges. Texts are plain: a special token's text in
// them is learned from as text. It is an error when the texts run out of pairs before the vocabulary is full.
// Source: Sennrich, Haddow & Birch 2016, arXiv:1508.07909, alg. 1.
func TrainBPE(texts iter.Seq[string], cfg TrainConfig) (*Tokenizer, error) {
	const op = "token.TrainBPE"
	first := len(cfg.Special)
	if least := first + 256; cfg.VocabSize < least {
		return nil, fmt.Errorf("%s: vocabulary of %d; %d special tokens and 256 bytes need %d", op, cfg.VocabSize, first, least)
	}
	if cfg.Pre >= numPreTokenizers {
		return nil, fmt.Errorf("%s: pre-tokeniser %d; there are %d", op, cfg.Pre, numPreTokenizers)
	}
	minCount := int64(cfg.MinCount)
	if minCount == 0 {
		minCount = 2
	}
	counts := map[string]*int64{}
	for text := range texts {
		for len(text) > 0 {
			n := cfg.Pre.next(text)
			if c := counts[text[:n]]; c != nil {
				*c++
			} else {
				one := int64(1)
				// The string is cut from its text and would hold all of it.
				counts[string([]byte(text[:n]))] = &one
			}
			text = text[n:]
		}
	}
	tr := newTrainer(counts, int32(first))
	out := ByteBPE{Pre: cfg.Pre, BOS: cfg.BOS, EOS: cfg.EOS, AddBOS: cfg.AddBOS}
	for i, s := range cfg.Special {
		out.Vocab = append(out.Vocab, s)
		out.Added = append(out.Added, Added{ID: int32(i), Text: s, Special: true})
	}
	for b := range 256 {
		out.Vocab = append(out.Vocab, string(alphabet[b]))
	}
	ids := make(map[string]int32, cfg.VocabSize)
	for id, v := range out.Vocab {
		ids[v] = int32(id)
	}
	for len(out.Vocab) < cfg.VocabSize {
		pair, count := tr.best()
		if count < minCount {
			return nil, fmt.Errorf("%s: %d tokens found in %d different pieces, then no pair was seen %d times; wanted %d",
				op, len(out.Vocab), len(counts), minCount, cfg.VocabSize)
		}
		left, right := out.Vocab[pair>>32], out.Vocab[uint32(pair)]
		id, ok := ids[left+right]
		switch {
		case !ok:
			id = int32(len(out.Vocab))
			ids[left+right] = id
			out.Vocab = append(out.Vocab, left+right)
		case int(id) < first: // plain text must not become a control token
			tr.forbid(pair)
			continue
		}
		out.Merges = append(out.Merges, left+" "+right) // a second way to spell a token is a merge, too
		tr.merge(pair, id)
	}
	return NewByteBPE(out)
}

// trainer holds every different piece once and the number of times that each pair of neighbours occurs.
type trainer struct {
	words  [][]int32
	weight []int64 // occurrences of each word
	pairs  map[uint64]*pairInfo
	queue  pairQueue
}

type pairInfo struct {
	pair      uint64
	count     int64
	words     []int32 // words that held the pair once; some may not any more
	forbidden bool
	changed   bool // in trainer.merge: its count differs from what the queue says
}

// pairQueue holds pairs with the count they had when they were put there.
type pairQueue []queued

type queued struct {
	count int64
	info  *pairInfo
}

func (q pairQueue) Len() int { return len(q) }
func (q pairQueue) Less(i, j int) bool {
	return q[i].count > q[j].count || q[i].count == q[j].count && q[i].info.pair < q[j].info.pair
}
func (q pairQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *pairQueue) Push(x any)   { *q = append(*q, x.(queued)) }
func (q *pairQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

func newTrainer(counts map[string]*int64, firstByte int32) *trainer {
	texts := make([]string, 0, len(counts))
	for w := range counts {
		if len(w) > 1 {
			texts = append(texts, w)
		}
	}
	sort.Strings(texts)
	t := &trainer{pairs: map[uint64]*pairInfo{}}
	for i, w := range texts {
		ids := make([]int32, len(w))
		for k := range len(w) {
			ids[k] = firstByte + int32(w[k])
		}
		n := *counts[w]
		t.words, t.weight = append(t.words, ids), append(t.weight, n)
		for k := 1; k < len(ids); k++ {
			t.at(pairOf(ids[k-1], ids[k])).add(n, int32(i))
		}
	}
	for _, p := range t.pairs {
		t.queue = append(t.queue, queued{p.count, p})
	}
	heap.Init(&t.queue)
	return t
}

func (t *trainer) at(pair uint64) *pairInfo {
	p := t.pairs[pair]
	if p == nil {
		p = &pairInfo{pair: pair}
		t.pairs[pair] = p
	}
	return p
}

// add counts n more occurrences in a word.
func (p *pairInfo) add(n int64, word int32) {
	p.count += n
	if k := len(p.words); k == 0 || p.words[k-1] != word {
		p.words = append(p.words, word)
	}
}

// best returns the pair that is most frequent now, count 0 when there is none.
func (t *trainer) best() (pair uint64, count int64) {
	for len(t.queue) > 0 {
		top := t.queue[0]
		if top.info.forbidden || top.info.count <= 0 {
			heap.Pop(&t.queue)
			continue
		}
		if top.count == top.info.count {
			return top.info.pair, top.count
		}
		if top.info.count < top.count {
			t.queue[0].count = top.info.count
			heap.Fix(&t.queue, 0)
		} else {
			heap.Pop(&t.queue) // a later entry says the higher count
		}
	}
	return 0, 0
}

// forbid keeps the pair apart for good.
func (t *trainer) forbid(pair uint64) { t.at(pair).forbidden = true }

// merge replaces the pair by id in every word, from the left.
func (t *trainer) merge(pair uint64, id int32) {
	p := t.pairs[pair]
	left, right := int32(pair>>32), int32(uint32(pair))
	var grown []*pairInfo
	change := func(a, b int32, n int64, word int32) {
		q := t.at(pairOf(a, b))
		if n > 0 {
			q.add(n, word)
			if !q.changed {
				q.changed = true
				grown = append(grown, q)
			}
		} else {
			q.count += n
		}
	}
	for _, w := range p.words {
		ids, n := t.words[w], t.weight[w]
		out := ids[:0]
		for i := 0; i < len(ids); i++ {
			if i+1 == len(ids) || ids[i] != left || ids[i+1] != right {
				out = append(out, ids[i])
				continue
			}
			if k := len(out); k > 0 {
				change(out[k-1], left, -n, w)
				change(out[k-1], id, n, w)
			}
			if i+2 < len(ids) {
				change(right, ids[i+2], -n, w)
				change(id, ids[i+2], n, w)
			}
			out = append(out, id)
			i++
		}
		t.words[w] = out
	}
	delete(t.pairs, pair)
	p.count, p.words = 0, nil
	for _, q := range grown {
		q.changed = false
		heap.Push(&t.queue, queued{q.count, q})
	}
}
