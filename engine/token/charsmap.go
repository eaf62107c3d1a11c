package token

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// spNormalizer is SentencePiece's normaliser: characters are replaced by the model's own table, white space is tidied
// up and written as ▁ (U+2581).
type spNormalizer struct {
	table   *charsMap // nil where characters stay
	user    *matcher  // tokens whose text stays as it is; nil for none
	prefix  bool      // a text begins with a space of its own
	soft    bool      // prefix holds only for a text that does not begin with a space
	tidy    bool      // no space at either end, no two in a row
	unicode bool      // bytes that are not UTF-8 become U+FFFD
}

const blank = "▁"

// apply returns the normalised text. Where start is false the text continues another one, so nothing is put in front
// and nothing taken away there.
func (n *spNormalizer) apply(text string, start bool) string {
	out := make([]byte, 0, len(text)+len(text)/2+3)
	afterSpace := n.tidy && start
	for text != "" {
		to, k := n.first(text)
		text = text[k:]
		if afterSpace {
			to = strings.TrimLeft(to, " ")
		}
		if to == "" {
			continue
		}
		if len(out) == 0 && start && n.prefix && !(n.soft && to[0] == ' ') {
			out = append(out, blank...)
		}
		for i := range len(to) {
			if to[i] == ' ' {
				out = append(out, blank...)
			} else {
				out = append(out, to[i])
			}
		}
		afterSpace = n.tidy && to[len(to)-1] == ' '
	}
	s := string(out)
	if n.tidy {
		for strings.HasSuffix(s, blank) {
			s = s[:len(s)-len(blank)]
		}
	}
	return s
}

// first returns what the beginning of text becomes and the bytes it takes.
func (n *spNormalizer) first(text string) (string, int) {
	if n.user != nil {
		if a := n.user.match(text, 0); a != nil {
			return a.Text, len(a.Text)
		}
	}
	if n.table != nil {
		if to, k := n.table.longest(text); k > 0 {
			return to, k
		}
	}
	r, k := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && k == 1 && n.unicode {
		return "\ufffd", 1
	}
	return text[:k], k
}

func (n *spNormalizer) sum(w *summer) {
	if n == nil {
		w.text("")
		return
	}
	w.text("sentencepiece")
	w.flags(n.prefix, n.tidy, n.unicode, n.soft)
	if n.table != nil {
		w.num(len(n.table.units))
		for _, u := range n.table.units {
			w.num(int(u))
		}
		w.text(n.table.texts)
	}
}

// charsMap is a table of replacements as a SentencePiece model holds it: a double array over the bytes of what is
// replaced, whose values are places in a list of texts that end in a zero byte.
type charsMap struct {
	units []uint32
	texts string
}

// newCharsMap reads precompiled_charsmap: the array's bytes as a uint32, the array, the texts. Empty data is no table.
func newCharsMap(data []byte) (*charsMap, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) < 4 {
		return nil, fmt.Errorf("precompiled_charsmap: %d bytes; wanted 4 at least", len(data))
	}
	size := int64(binary.LittleEndian.Uint32(data))
	if size%4 != 0 || size == 0 || size > int64(len(data)-4) {
		return nil, fmt.Errorf("precompiled_charsmap: an array of %d bytes in %d; wanted units of 4", size, len(data)-4)
	}
	m := &charsMap{texts: string(data[4+size:])}
	if !strings.HasSuffix(m.texts, "\x00") {
		return nil, fmt.Errorf("precompiled_charsmap: the last text has no end")
	}
	for i := int64(0); i < size; i += 4 {
		m.units = append(m.units, binary.LittleEndian.Uint32(data[4+i:]))
	}
	return m, nil
}

// longest returns the replacement of the longest beginning of s that has one, and that beginning's length; 0 for none.
// A unit of the array holds the label of the edge to it (bits 0-7 and 31), whether a value hangs below it (bit 8) and
// the way to its children (bits 10-30, shifted by 8 more where bit 9 is set). Source: Yata's darts-clone.
func (m *charsMap) longest(s string) (string, int) {
	below := func(u uint32) uint32 { return u >> 10 << (u & (1 << 9) >> 6) }
	at := below(m.units[0])
	to, length := "", 0
	for i := range len(s) {
		at ^= uint32(s[i])
		if at >= uint32(len(m.units)) {
			break
		}
		u := m.units[at]
		if u&(1<<31|0xff) != uint32(s[i]) {
			break
		}
		at ^= below(u)
		if u&(1<<8) != 0 && at < uint32(len(m.units)) {
			if place := m.units[at] &^ (1 << 31); place < uint32(len(m.texts)) {
				end := strings.IndexByte(m.texts[place:], 0)
				to, length = m.texts[place:int(place)+end], i+1
			}
		}
	}
	return to, length
}
