package token

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"
	"unicode/utf8"
)

// scoredBPE is the model of SentencePiece's BPE: the characters of a whole text merge, the pair whose token has the
// best score first, and a character without a token falls back to its bytes.
type scoredBPE struct {
	norm   *spNormalizer // nil where the text stays as it is
	user   *matcher      // tokens that are kept whole wherever they stand; nil for none
	chars  map[string]int32
	bytes  [256]int32
	unk    int32 // for what has neither a token nor bytes, one for a run of it; None leaves it out
	prefix int32 // without norm: the token of a space that stands before a text; None for none
	merges *mergeTable
	space  string     // what words begin with; empty where tokens hold more than one word, so that a text merges as a whole
	cache  *wordCache // of words
}

// findSpace looks whether words can be merged one by one, which is so when no token goes on after a word's end. pieces
// are the texts that merge, sign is what stands for a space in them.
func (m *scoredBPE) findSpace(pieces []string, sign string) {
	if _, ok := m.chars[sign]; !ok {
		return
	}
	for _, s := range m.merges.slots {
		if s.pair != freePair && strings.Contains(strings.TrimLeft(pieces[s.id], sign), sign) {
			return
		}
	}
	m.space, m.cache = sign, newWordCache()
}

// word returns the length of the first word of text, with the spaces before it.
func (m *scoredBPE) word(text string) int {
	at := 0
	for strings.HasPrefix(text[at:], m.space) {
		at += len(m.space)
	}
	if n := strings.Index(text[at:], m.space); n >= 0 {
		return at + n
	}
	return len(text)
}

func (m *scoredBPE) encode(dst []int32, text string, start bool) []int32 {
	if m.norm != nil {
		text = m.norm.apply(text, start)
	}
	if text == "" {
		return dst
	}
	if start && m.prefix != None {
		text = " " + text
	}
	m.user.split(text, func(part string, id int32) {
		if id != None {
			dst = append(dst, id)
		} else {
			dst = m.words(dst, part)
		}
	})
	return dst
}

// words is encode of a text that is normalised and holds no token that is kept whole.
func (m *scoredBPE) words(dst []int32, text string) []int32 {
	for m.space != "" && text != "" {
		w := text[:m.word(text)]
		text = text[len(w):]
		if len(w) > cacheMaxLen {
			dst = m.whole(dst, w)
			continue
		}
		slot, ids := m.cache.get(w)
		if ids != nil {
			dst = append(dst, ids...)
			continue
		}
		from := len(dst)
		dst = m.whole(dst, w)
		m.cache.put(slot, w, dst[from:])
	}
	return m.whole(dst, text)
}

// whole is words without looking for any.
func (m *scoredBPE) whole(dst []int32, text string) []int32 {
	from := len(dst)
	for at := 0; at < len(text); {
		_, n := utf8.DecodeRuneInString(text[at:])
		if id, ok := m.chars[text[at:at+n]]; ok {
			dst = append(dst, id)
		} else {
			dst = spell(dst, from, text[at:at+n], &m.bytes, m.unk)
		}
		at += n
	}
	return dst[:from+len(m.merges.merge(dst[from:]))]
}

// spell appends a character's bytes; when one of them has no token, the unknown token, once for a run of such
// characters since from.
func spell(dst []int32, from int, char string, bytes *[256]int32, unk int32) []int32 {
	at := len(dst)
	for i := range len(char) {
		id := bytes[char[i]]
		if id == None {
			if dst = dst[:at]; unk != None && (at == from || dst[at-1] != unk) {
				dst = append(dst, unk)
			}
			return dst
		}
		dst = append(dst, id)
	}
	return dst
}

func (m *scoredBPE) dropped(text string) int {
	if m.norm != nil {
		text = m.norm.apply(text, true)
	}
	n := 0
	m.user.split(text, func(part string, id int32) {
		for id == None && part != "" {
			_, k := utf8.DecodeRuneInString(part)
			if _, ok := m.chars[part[:k]]; !ok && !spelled(part[:k], &m.bytes) {
				n += k
			}
			part = part[k:]
		}
	})
	return n
}

// spelled reports whether every byte of char has a token.
func spelled(char string, bytes *[256]int32) bool {
	for i := range len(char) {
		if bytes[char[i]] == None {
			return false
		}
	}
	return true
}

func (m *scoredBPE) sum(w *summer) {
	w.text("scored BPE")
	m.norm.sum(w)
	m.user.sum(w)
	w.num(int(m.unk))
	w.num(int(m.prefix))
	for _, id := range m.bytes {
		w.num(int(id))
	}
	m.merges.sum(w)
}

// scoredMerges returns the merges of a vocabulary with scores: every way to cut a token into two tokens. Only ids for
// which word is true take part, as the whole or as a half. Tokens of equal score have equal rank.
func scoredMerges(ids map[string]int32, pieces []string, scores []float32, word func(id int32) bool) *mergeTable {
	order := append([]float32(nil), scores...)
	sort.Slice(order, func(i, j int) bool { return order[i] > order[j] })
	rankOf := map[float32]int32{}
	for _, s := range order {
		if _, ok := rankOf[s]; !ok {
			rankOf[s] = int32(len(rankOf))
		}
	}
	type merge struct{ left, right, rank, id int32 }
	var all []merge
	for id, p := range pieces {
		if !word(int32(id)) || ids[p] != int32(id) {
			continue
		}
		for cut := 1; cut < len(p); cut++ {
			left, ok := ids[p[:cut]]
			if !ok || !word(left) {
				continue
			}
			if right, ok := ids[p[cut:]]; ok && word(right) {
				all = append(all, merge{left, right, rankOf[scores[id]], int32(id)})
			}
		}
	}
	t := newMergeTable(len(all))
	for _, m := range all {
		t.put(m.left, m.right, m.rank, m.id)
	}
	return t
}

// Ids that llama2.c's tokenizer files fix: unknown, BOS, EOS, then the 256 bytes.
const (
	llama2cUnk = iota
	llama2cBOS
	llama2cEOS
	llama2cByte
	llama2cWord = llama2cByte + 256

	// llama2cLongest bounds a token's bytes: the time to find its merges grows with their square.
	llama2cLongest = 1 << 10
)

// ReadLlama2c returns the tokenizer of a llama2.c tokenizer.bin with vocab tokens: an int32 with the longest token's
// length, then for each token its score (float32), its length (int32) and its bytes, little-endian. A text begins with
// a space of its own, which Decode leaves out again. It is an error when the file ends early or goes on after the last
// token, when a length is negative or above the first number, when a byte token is not where it must be, and when
// there is no token for a space.
func ReadLlama2c(r io.Reader, vocab int) (*Tokenizer, error) {
	const op = "token.ReadLlama2c"
	if vocab < llama2cWord {
		return nil, fmt.Errorf("%s: vocabulary of %d; unknown, BOS, EOS and 256 bytes need %d", op, vocab, llama2cWord)
	}
	var longest int32
	if err := binary.Read(r, binary.LittleEndian, &longest); err != nil {
		return nil, fmt.Errorf("%s: longest token: %w", op, cutShort(err))
	}
	if longest < 1 || longest > llama2cLongest {
		return nil, fmt.Errorf("%s: longest token: %d bytes; wanted 1 to %d", op, longest, llama2cLongest)
	}
	var c core
	var scores []float32
	for id := range vocab {
		var head struct {
			Score float32
			Len   int32
		}
		if err := binary.Read(r, binary.LittleEndian, &head); err != nil {
			return nil, fmt.Errorf("%s: token %d of %d: %w", op, id, vocab, cutShort(err))
		}
		if head.Len < 1 || head.Len > longest {
			return nil, fmt.Errorf("%s: token %d of %d: %d bytes; wanted 1 to %d", op, id, vocab, head.Len, longest)
		}
		if math.IsNaN(float64(head.Score)) {
			return nil, fmt.Errorf("%s: token %d of %d: its score is not a number", op, id, vocab)
		}
		text := make([]byte, head.Len)
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, fmt.Errorf("%s: token %d of %d: %w", op, id, vocab, cutShort(err))
		}
		c.vocab = append(c.vocab, string(text))
		scores = append(scores, head.Score)
	}
	var more [1]byte
	if n, _ := io.ReadFull(r, more[:]); n > 0 {
		return nil, fmt.Errorf("%s: bytes after token %d; wanted the end of the file", op, vocab-1)
	}
	return fromScores(op, c, scores)
}

// fromScores makes the tokenizer of a vocabulary laid out as llama2.c does.
func fromScores(op string, c core, scores []float32) (*Tokenizer, error) {
	m := &scoredBPE{chars: map[string]int32{}, unk: llama2cUnk, prefix: None}
	c.pieces = append([]string(nil), c.vocab...)
	for id := range int32(llama2cByte) {
		c.pieces[id] = strings.TrimSpace(c.vocab[id]) // "\n<s>\n" in the file
		if c.pieces[id] == "" {
			return nil, fmt.Errorf("%s: token %d: it is blank; wanted the name of a control token", op, id)
		}
		c.vocab[id] = c.pieces[id]
		c.added = append(c.added, Added{ID: id, Text: c.pieces[id], Special: true})
	}
	for b := range 256 {
		id := llama2cByte + b
		if want := fmt.Sprintf("<0x%02X>", b); c.vocab[id] != want {
			return nil, fmt.Errorf("%s: token %d: %q; wanted %q", op, id, c.vocab[id], want)
		}
		c.pieces[id] = string([]byte{byte(b)})
		m.bytes[b] = int32(id)
	}
	ids := map[string]int32{}
	for id := llama2cWord; id < len(c.vocab); id++ {
		p := c.pieces[id]
		if _, ok := ids[p]; ok {
			continue // an equal token is never written
		}
		ids[p] = int32(id)
		if _, n := utf8.DecodeRuneInString(p); n == len(p) {
			m.chars[p] = int32(id)
		}
	}
	var ok bool
	if m.prefix, ok = ids[" "]; !ok {
		return nil, fmt.Errorf("%s: none of %d tokens is a space; a text begins with one", op, len(c.vocab))
	}
	m.merges = scoredMerges(ids, c.pieces, scores, func(id int32) bool { return id >= llama2cWord })
	m.findSpace(c.pieces, " ")
	c.model, c.dropSpace, c.addBOS = m, true, true
	c.unk, c.bos, c.eos = llama2cUnk, llama2cBOS, llama2cEOS
	if _, err := checkAdded(op, c.added, c.vocab); err != nil {
		return nil, err
	}
	t := build(c)
	t.source, t.sourceName = scoredModel(t, scores).file(), modelFileName
	return t, nil
}

// scoredModel is the SentencePiece model of a vocabulary laid out as llama2.c does.
func scoredModel(t *Tokenizer, scores []float32) *spModel {
	m := &spModel{kind: spBPE, fallback: true, escape: true, prefix: true, unk: llama2cUnk, bos: llama2cBOS, eos: llama2cEOS}
	seen := map[string]bool{}
	for id, v := range t.vocab {
		p := spPiece{strings.ReplaceAll(v, " ", blank), scores[id], pieceNormal}
		switch {
		case id == llama2cUnk:
			p.kind = pieceUnknown
		case id < llama2cByte:
			p.kind = pieceControl
		case id < llama2cWord:
			p.kind = pieceByte
		case seen[p.text]:
			// An equal token is never written, and the format has room for one.
			p.text, p.kind = fmt.Sprintf("<unused %d>", id), pieceControl
		}
		seen[p.text] = true
		m.pieces = append(m.pieces, p)
	}
	return m
}

// cutShort calls every end of file an unexpected one.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
