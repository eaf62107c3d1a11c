package token

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// matcher finds added tokens in text: the leftmost match first, of several at one place the longest. A nil matcher
// finds nothing.
type matcher struct {
	first  [256]bool
	only   byte // the one byte that every token begins with, when single
	single bool
	byByte [256][]Added // longest first
}

func newMatcher(tokens []Added) *matcher {
	m := &matcher{}
	starts := 0
	for _, a := range tokens {
		if a.Text == "" {
			continue
		}
		c := a.Text[0]
		if !m.first[c] {
			m.first[c] = true
			m.only = c
			starts++
		}
		m.byByte[c] = append(m.byByte[c], a)
	}
	if starts == 0 {
		return nil
	}
	m.single = starts == 1
	for c := range m.byByte {
		list := m.byByte[c]
		sort.SliceStable(list, func(i, j int) bool { return len(list[i].Text) > len(list[j].Text) })
	}
	return m
}

// split calls f for each part of text in order: for text between tokens, which is not empty, with id None, for a token
// with its id.
func (m *matcher) split(text string, f func(part string, id int32)) {
	if m == nil {
		if text != "" {
			f(text, None)
		}
		return
	}
	from := 0 // everything before it was handed out
	for at := 0; at < len(text); {
		if m.single {
			k := strings.IndexByte(text[at:], m.only)
			if k < 0 {
				break
			}
			at += k
		} else if !m.first[text[at]] {
			at++
			continue
		}
		a := m.match(text, at)
		if a == nil {
			at++
			continue
		}
		lo, hi := at, at+len(a.Text)
		if a.LStrip {
			lo = from + len(strings.TrimRightFunc(text[from:at], unicode.IsSpace))
		}
		if a.RStrip {
			hi = len(text) - len(strings.TrimLeftFunc(text[hi:], unicode.IsSpace))
		}
		if lo > from {
			f(text[from:lo], None)
		}
		f(text[lo:hi], a.ID)
		from, at = hi, hi
	}
	if from < len(text) {
		f(text[from:], None)
	}
}

func (m *matcher) match(text string, at int) *Added {
	list := m.byByte[text[at]]
	for i := range list {
		a := &list[i]
		if strings.HasPrefix(text[at:], a.Text) && (!a.SingleWord || alone(text, at, at+len(a.Text))) {
			return a
		}
	}
	return nil
}

// alone reports whether no word character touches text[lo:hi].
func alone(text string, lo, hi int) bool {
	word := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }
	if r, n := utf8.DecodeLastRuneInString(text[:lo]); n > 0 && word(r) {
		return false
	}
	r, n := utf8.DecodeRuneInString(text[hi:])
	return n == 0 || !word(r)
}

// sum writes the tokens that m finds.
func (m *matcher) sum(w *summer) {
	if m == nil {
		return
	}
	for _, list := range m.byByte {
		for _, a := range list {
			w.text(a.Text)
			w.num(int(a.ID))
		}
	}
}
