package token

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
)

// wordPiece is BERT's model: text is cleaned, cut into words and punctuation marks, and each word into the longest
// tokens from its left. A word that cannot be cut is one unknown token. Source: Devlin et al. 2018, arXiv:1810.04805.
type wordPiece struct {
	bert    bertNormalizer
	heads   map[string]int32 // tokens that begin a word
	tails   map[string]int32 // tokens inside a word, without the prefix
	longest int              // bytes of the longest token
	unk     int32
	maxLen  int // characters; longer words are unknown
}

// unicode8 are the characters of Unicode 8.0, from whose tables Hugging Face's library takes marks, punctuation and
// controls; what came later is a letter to it.
var unicode8 = sync.OnceValue(func() *unicode.RangeTable { return rangetable.Assigned("8.0.0") })

// bertNormalizer cleans text as tokenizer.json's BertNormalizer of the same fields.
type bertNormalizer struct{ clean, chinese, accents, lower bool }

func (m *wordPiece) encode(dst []int32, text string, start bool) []int32 {
	m.words(m.bert.apply(text), func(w string) { dst = m.cut(dst, w) })
	return dst
}

// words calls f for each word and each punctuation mark of text.
func (m *wordPiece) words(text string, f func(string)) {
	from := 0
	for at, r := range text {
		gap := unicode.IsSpace(r)
		if !gap && !punctuation(r) {
			continue
		}
		if at > from {
			f(text[from:at])
		}
		_, n := utf8.DecodeRuneInString(text[at:])
		if !gap {
			f(text[at : at+n])
		}
		from = at + n
	}
	if from < len(text) {
		f(text[from:])
	}
}

// cut appends the tokens of one word.
func (m *wordPiece) cut(dst []int32, w string) []int32 {
	if utf8.RuneCountInString(w) > m.maxLen {
		return append(dst, m.unk)
	}
	from := len(dst)
	table := m.heads
	for w != "" {
		n := min(len(w), m.longest)
		for ; n > 0; n-- {
			if id, ok := table[w[:n]]; ok {
				dst = append(dst, id)
				break
			}
		}
		if n == 0 {
			return append(dst[:from], m.unk)
		}
		w, table = w[n:], m.tails
	}
	return dst
}

func (m *wordPiece) dropped(text string) int {
	n := 0
	m.words(m.bert.apply(text), func(w string) {
		if ids := m.cut(nil, w); len(ids) == 1 && ids[0] == m.unk {
			n += len(w)
		}
	})
	return n
}

func (m *wordPiece) sum(w *summer) {
	w.text("wordpiece")
	w.flags(m.bert.clean, m.bert.chinese, m.bert.accents, m.bert.lower)
	w.num(int(m.unk))
	w.num(m.maxLen)
}

func (b bertNormalizer) apply(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for _, r := range text {
		if b.clean {
			if r == 0 || r == utf8.RuneError || control(r) {
				continue
			}
			if unicode.IsSpace(r) {
				r = ' '
			}
		}
		if b.chinese && chinese(r) {
			out.WriteByte(' ')
			out.WriteRune(r)
			out.WriteByte(' ')
			continue
		}
		out.WriteRune(r)
	}
	text = out.String()
	if b.accents {
		text = norm.NFD.String(text)
		out.Reset()
		for _, r := range text {
			if r < utf8.RuneSelf || !unicode.Is(unicode.Mn, r) || !unicode.Is(unicode8(), r) {
				out.WriteRune(r)
			}
		}
		text = out.String()
	}
	if b.lower {
		out.Reset()
		for _, r := range text {
			if r == 'İ' {
				out.WriteString("i\u0307") // the one character whose lower case is two
			} else {
				out.WriteRune(unicode.ToLower(r))
			}
		}
		text = out.String()
	}
	return text
}

// control reports whether r is a character that stands for nothing: category C, but for tab and line ends.
func control(r rune) bool {
	return r != '\t' && r != '\n' && r != '\r' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs) &&
		unicode.Is(unicode8(), r)
}

// chinese reports whether r is an ideograph of the blocks that BERT sets apart.
func chinese(r rune) bool {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF, r >= 0x20000 && r <= 0x2A6DF, r >= 0x2A700 && r <= 0x2B73F,
		r >= 0x2B740 && r <= 0x2B81F, r >= 0x2B920 && r <= 0x2CEAF, r >= 0xF900 && r <= 0xFAFF, r >= 0x2F800 && r <= 0x2FA1F:
		return true
	}
	return false
}

// punctuation reports whether r is a word of its own: category P and ASCII's symbols.
func punctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < 0x7f && !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}
	return unicode.IsPunct(r) && unicode.Is(unicode8(), r)
}

// tidyEnglish takes away the space that stands before a mark or a contraction, as the decoder of BERT's files does.
var tidyEnglish = strings.NewReplacer(" .", ".", " ?", "?", " !", "!", " ,", ",", " n't", "n't", " 'm", "'m", " 's", "'s", " 've", "'ve", " 're", "'re")

func readJSONWordPiece(f *jsonFile) (*Tokenizer, error) {
	var m struct {
		UnkToken string           `json:"unk_token"`
		Prefix   string           `json:"continuing_subword_prefix"`
		MaxChars int              `json:"max_input_chars_per_word"`
		Vocab    map[string]int64 `json:"vocab"`
	}
	if err := json.Unmarshal(f.Model, &m); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if m.Prefix == "" || m.MaxChars < 1 {
		return nil, fmt.Errorf("model: continuing_subword_prefix %q, max_input_chars_per_word %d; wanted a prefix and at least 1", m.Prefix, m.MaxChars)
	}
	vocab, err := byID(m.Vocab, f.AddedTokens)
	if err != nil {
		return nil, err
	}
	c := core{vocab: vocab, dropSpace: true}
	if c.added, err = f.added(); err != nil {
		return nil, err
	}
	isAdded, err := checkAdded("added_tokens", c.added, vocab)
	if err != nil {
		return nil, err
	}
	list, err := steps("normalizer", f.Normalizer)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || list[0].Type != "BertNormalizer" {
		return nil, fmt.Errorf("normalizer: %s is not implemented for WordPiece; wanted BertNormalizer", typesOf(list))
	}
	lower := on(list[0].Lowercase, true)
	w := &wordPiece{
		bert: bertNormalizer{
			clean: on(list[0].CleanText, true), chinese: on(list[0].HandleChinese, true),
			accents: on(list[0].StripAccents, lower), lower: lower,
		},
		heads: map[string]int32{}, tails: map[string]int32{}, maxLen: m.MaxChars,
	}
	if list, err = steps("pre_tokenizer", f.PreTokenizer); err != nil {
		return nil, err
	}
	if len(list) != 1 || list[0].Type != "BertPreTokenizer" {
		return nil, fmt.Errorf("pre_tokenizer: %s is not implemented for WordPiece; wanted BertPreTokenizer", typesOf(list))
	}
	if list, err = steps("decoder", f.Decoder); err != nil {
		return nil, err
	}
	if len(list) != 1 || list[0].Type != "WordPiece" || list[0].Prefix != m.Prefix {
		return nil, fmt.Errorf("decoder: %s is not implemented for WordPiece; wanted WordPiece with the prefix %q", typesOf(list), m.Prefix)
	}
	ends, err := f.ends()
	if err != nil {
		return nil, err
	}
	unk, ok := m.Vocab[m.UnkToken]
	if !ok {
		return nil, fmt.Errorf("model: unk_token %q is not in the vocabulary of %d tokens", m.UnkToken, len(m.Vocab))
	}
	w.unk = int32(unk)
	if c.bos, c.eos, _, err = roles("post_processor", c.added, ends.bos, ends.eos, ""); err != nil {
		return nil, err
	}
	c.unk, c.addBOS = w.unk, ends.addBOS
	c.pieces = make([]string, len(vocab))
	for i, v := range vocab {
		id := int32(i)
		if isAdded[id] || v == "" {
			c.pieces[i] = v
			continue
		}
		w.longest = max(w.longest, len(v))
		if tail, ok := strings.CutPrefix(v, m.Prefix); ok && tail != "" {
			w.tails[tail] = id
			c.pieces[i] = tail
		} else {
			c.pieces[i] = " " + v
			if on(list[0].Cleanup, true) {
				c.pieces[i] = tidyEnglish.Replace(c.pieces[i])
			}
		}
		w.heads[v] = id // a word may be spelled like a token for the inside of one
	}
	c.model = w
	t := build(c)
	// Unknown text comes out of plain text, so it is no control token, and decoding shows that something was there.
	t.flags[c.unk] &^= isSpecial
	t.pieces[c.unk] = " " + vocab[c.unk]
	return t, nil
}
