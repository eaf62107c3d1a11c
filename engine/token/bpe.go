package token

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ByteBPE describes a byte-level BPE, the kind of GPT-2: text is cut into pieces, each piece into its bytes, and
// neighbours merge in the order of the list.
type ByteBPE struct {
	Vocab  []string     // by id, in the byte-level alphabet of GPT-2 (a space is Ġ); added tokens as plain text
	Merges []string     // "left right" in the same alphabet, first merge first
	Pre    PreTokenizer // how text is cut into pieces
	Added  []Added      // tokens found as wholes; their text stands in Vocab at their id too

	NFC            bool // text is composed before it is cut
	AddPrefixSpace bool // a text that does not begin with white space gets a space in front
	IgnoreMerges   bool // a piece that is a token itself is not merged from its bytes

	BOS, EOS, Unk string // texts of added tokens; empty for none
	AddBOS        bool   // texts are to begin with BOS
}

// NewByteBPE returns the tokenizer that cfg describes. It is an error when a merge names a token that is not in the
// vocabulary, when a token stands there twice, or when BOS, EOS or Unk is no added token. A vocabulary need not have
// all 256 bytes; Dropped counts the bytes of a text that it cannot write.
func NewByteBPE(cfg ByteBPE) (*Tokenizer, error) {
	const op = "token.NewByteBPE"
	if cfg.Pre >= numPreTokenizers {
		return nil, fmt.Errorf("%s: pre-tokeniser %d; there are %d", op, cfg.Pre, numPreTokenizers)
	}
	c := core{vocab: cfg.Vocab, added: cfg.Added, addBOS: cfg.AddBOS}
	c.pieces = make([]string, len(cfg.Vocab))
	isAdded, err := checkAdded(op, cfg.Added, cfg.Vocab)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]int32, len(cfg.Vocab)) // words, in the alphabet of the file
	for i, v := range cfg.Vocab {
		if isAdded[int32(i)] {
			c.pieces[i] = v
		} else {
			c.pieces[i] = fromAlphabet(v)
		}
		if v == "" {
			continue
		}
		if j, ok := ids[v]; ok {
			return nil, fmt.Errorf("%s: ids %d and %d: both are %q; wanted a text for each", op, j, i, v)
		}
		ids[v] = int32(i)
	}
	m := &byteBPE{pre: cfg.Pre, prefix: cfg.AddPrefixSpace, cache: newWordCache(), merges: newMergeTable(len(cfg.Merges))}
	for b := range m.bytes {
		m.bytes[b] = None
		if id, ok := ids[string(alphabet[b])]; ok {
			m.bytes[b] = id
		}
	}
	for rank, line := range cfg.Merges {
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("%s: merge %d: %q; wanted two tokens with a space between", op, rank, line)
		}
		var id [3]int32
		for k, part := range []string{left, right, left + right} {
			if id[k], ok = ids[part]; !ok {
				return nil, fmt.Errorf("%s: merge %d: %q is not in the vocabulary of %d tokens", op, rank, part, len(cfg.Vocab))
			}
		}
		m.merges.put(id[0], id[1], int32(rank), id[2])
	}
	if cfg.IgnoreMerges {
		m.words = make(map[string]int32, len(ids))
		for v, id := range ids {
			if !isAdded[id] {
				m.words[fromAlphabet(v)] = id
			}
		}
	}
	if cfg.NFC {
		c.normalize = nfc
	}
	c.model = m
	if c.bos, c.eos, c.unk, err = roles(op, cfg.Added, cfg.BOS, cfg.EOS, cfg.Unk); err != nil {
		return nil, err
	}
	return build(c), nil
}

// checkAdded returns the ids of added tokens, having checked that each stands in the vocabulary with its text.
func checkAdded(op string, added []Added, vocab []string) (map[int32]bool, error) {
	ids := make(map[int32]bool, len(added))
	texts := make(map[string]int32, len(added))
	for _, a := range added {
		if a.Text == "" {
			return nil, fmt.Errorf("%s: added token %d: it has no text", op, a.ID)
		}
		if a.ID < 0 || int(a.ID) >= len(vocab) {
			return nil, fmt.Errorf("%s: added token %q: id %d; the vocabulary has %d", op, a.Text, a.ID, len(vocab))
		}
		if vocab[a.ID] != a.Text {
			return nil, fmt.Errorf("%s: added token %q: id %d is %q in the vocabulary", op, a.Text, a.ID, vocab[a.ID])
		}
		if j, ok := texts[a.Text]; ok {
			return nil, fmt.Errorf("%s: added token %q: it stands there twice, as id %d and %d", op, a.Text, j, a.ID)
		}
		ids[a.ID], texts[a.Text] = true, a.ID
	}
	return ids, nil
}

// roles finds the ids of BOS, EOS and Unk among the added tokens.
func roles(op string, added []Added, bos, eos, unk string) (b, e, u int32, err error) {
	find := func(role, text string) int32 {
		if text == "" || err != nil {
			return None
		}
		for _, a := range added {
			if a.Text == text {
				return a.ID
			}
		}
		err = fmt.Errorf("%s: %s %q: no added token has this text; there are %d", op, role, text, len(added))
		return None
	}
	b, e, u = find("BOS", bos), find("EOS", eos), find("Unk", unk)
	return b, e, u, err
}

// byteBPE is the model of a byte-level BPE.
type byteBPE struct {
	pre    PreTokenizer
	prefix bool
	bytes  [256]int32 // None where the vocabulary lacks the byte
	merges *mergeTable
	words  map[string]int32 // nil unless pieces that are tokens are not merged
	cache  *wordCache
}

func (m *byteBPE) encode(dst []int32, text string, start bool) []int32 {
	if m.prefix && text != "" {
		if c, _ := peek(text); c != space {
			text = " " + text
		}
	}
	for len(text) > 0 {
		n := m.pre.next(text)
		dst = m.word(dst, text[:n])
		text = text[n:]
	}
	return dst
}

// word appends the ids of one piece.
func (m *byteBPE) word(dst []int32, w string) []int32 {
	if len(w) == 1 {
		if id := m.bytes[w[0]]; id != None {
			dst = append(dst, id)
		}
		return dst
	}
	if len(w) > cacheMaxLen {
		return m.spell(dst, w)
	}
	slot, ids := m.cache.get(w)
	if ids != nil {
		return append(dst, ids...)
	}
	from := len(dst)
	dst = m.spell(dst, w)
	m.cache.put(slot, w, dst[from:])
	return dst
}

// spell is word without the cache.
func (m *byteBPE) spell(dst []int32, w string) []int32 {
	if id, ok := m.words[w]; ok {
		return append(dst, id)
	}
	from := len(dst)
	for i := range len(w) {
		if id := m.bytes[w[i]]; id != None {
			dst = append(dst, id)
		}
	}
	return dst[:from+len(m.merges.merge(dst[from:]))]
}

func (m *byteBPE) dropped(text string) int {
	n := 0
	for i := range len(text) {
		if m.bytes[text[i]] == None {
			n++
		}
	}
	return n
}

func (m *byteBPE) sum(w *summer) {
	w.text("byte-level BPE")
	w.text(m.pre.String())
	w.flags(m.prefix, m.words != nil)
	for _, id := range m.bytes {
		w.num(int(id))
	}
	m.merges.sum(w)
}

// alphabet is GPT-2's character for each byte: printable Latin-1 stands for itself, the others follow from U+0100 on.
var alphabet, byteOf = func() (to [256]rune, from map[rune]byte) {
	from = make(map[rune]byte, 256)
	odd := rune(0x100)
	for b := range rune(256) {
		r := b
		if b < '!' || b > '~' && b < '¡' || b == '\u00ad' {
			r = odd
			odd++
		}
		to[b] = r
		from[r] = byte(b)
	}
	return to, from
}()

// fromAlphabet returns the bytes that v stands for; a text with characters outside the alphabet stands for itself.
func fromAlphabet(v string) string {
	out := make([]byte, 0, len(v))
	for _, r := range v {
		b, ok := byteOf[r]
		if !ok {
			return v
		}
		out = append(out, b)
	}
	return string(out)
}

// toAlphabet is the way back for any bytes.
func toAlphabet(s string) string {
	out := make([]byte, 0, len(s)+4)
	for i := range len(s) {
		out = utf8.AppendRune(out, alphabet[s[i]])
	}
	return string(out)
}
