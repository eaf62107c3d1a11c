// Package token turns text into the ids that a model reads, and ids back into text.
//
// A Tokenizer is one value whatever its kind: the model behind it (byte-level BPE in bpe.go, SentencePiece's BPE in
// sentencepiece.go, unigram.go, wordpiece.go) is read from a tokenizer.json (json.go), a tokenizer.model (spmodel.go), a
// GGUF file's metadata (gguf.go) or llama2.c's file, or trained from texts (train.go). Two functions encode: Encode for text that a person wrote, which never yields a
// control token, and EncodeSpecial for text that a template wrote. A Template (template.go) renders messages into
// spans and encodes every span with the function that fits, so that training, evaluation and chat see the same ids.
//
// A Tokenizer is not changed after it was made; all its methods may be called from several goroutines at once.
package token

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
	"unicode/utf8"

	"tunebook/engine/internal/parts"
)

// None is the id of a token that a tokenizer does not have.
const None int32 = -1

// Added is a token that is found as a whole in the text, before the model of the tokenizer sees it.
type Added struct {
	ID   int32
	Text string

	Special    bool // a control token: Encode never writes it, Decode leaves it out
	SingleWord bool // only where no letter, digit or underscore touches it
	LStrip     bool // takes the white space before it along
	RStrip     bool // takes the white space after it along
	Normalized bool // looked for in the normalised text instead of the text as it is
}

// model is what tells the kinds of tokenizer apart.
type model interface {
	// encode appends the ids of text, which holds no added token. start tells that nothing stands before it.
	encode(dst []int32, text string, start bool) []int32
	// dropped counts the bytes of text that no token of the vocabulary stands for.
	dropped(text string) int
	// sum writes everything that decides over ids, beyond the vocabulary and the added tokens, to w.
	sum(w *summer)
}

// Tokenizer encodes and decodes text.
type Tokenizer struct {
	model  model
	vocab  []string // text of each id as its file writes it; "" where an id has no token
	pieces []string // bytes that each id stands for
	flags  []uint8  // isAdded, isSpecial

	added     []Added
	byText    map[string]int32 // added tokens
	normalize *normalizer      // nil where the text stays as it is
	every     [2]*matcher      // all added tokens: those of the text as it is, those of the normalised text
	ordinary  [2]*matcher      // the same without control tokens

	bos, eos, unk int32
	addBOS        bool
	dropSpace     bool // the first space of a text was written by encode, so decode leaves it out

	source     []byte // the file of a kind that WriteJSON does not write
	sourceName string // "tokenizer.json" or "tokenizer.model"

	fingerprint func() string
}

const (
	isAdded uint8 = 1 << iota
	isSpecial
)

// core is what every kind hands to build.
type core struct {
	model         model
	vocab, pieces []string
	added         []Added
	normalize     *normalizer
	bos, eos, unk int32
	addBOS        bool
	dropSpace     bool
}

func build(c core) *Tokenizer {
	t := &Tokenizer{
		model: c.model, vocab: c.vocab, pieces: c.pieces, added: c.added, normalize: c.normalize,
		bos: c.bos, eos: c.eos, unk: c.unk, addBOS: c.addBOS, dropSpace: c.dropSpace,
		flags:  make([]uint8, len(c.vocab)),
		byText: make(map[string]int32, len(c.added)),
	}
	var every, ordinary [2][]Added
	for _, a := range c.added {
		t.flags[a.ID] |= isAdded
		t.byText[a.Text] = a.ID
		stage := 0
		if a.Normalized {
			stage = 1
			a.Text = t.normalize.apply(a.Text)
		}
		every[stage] = append(every[stage], a)
		if a.Special {
			t.flags[a.ID] |= isSpecial
		} else {
			ordinary[stage] = append(ordinary[stage], a)
		}
	}
	for i := range every {
		t.every[i], t.ordinary[i] = newMatcher(every[i]), newMatcher(ordinary[i])
	}
	t.fingerprint = sync.OnceValue(t.digest)
	return t
}

// Encode returns the ids of plain text. Text that looks like a control token is encoded as the text that it is, never
// as the token; no BOS is added. Added tokens that their file does not call special are ordinary words and are found.
func (t *Tokenizer) Encode(text string) []int32 {
	return t.encode(nil, text, &t.ordinary, true)
}

// EncodeSpecial returns the ids of text that a template wrote: every added token, control tokens included, becomes its
// id; no BOS is added.
func (t *Tokenizer) EncodeSpecial(text string) []int32 {
	return t.encode(nil, text, &t.every, true)
}

// EncodeAll returns Encode of every text, in their order, worked out on all cores.
func (t *Tokenizer) EncodeAll(texts []string) [][]int32 {
	out := make([][]int32, len(texts))
	// A text at a time goes to whoever is free: texts differ much in length.
	parts.Each(len(texts), 1, func(i, _ int) { out[i] = t.Encode(texts[i]) })
	return out
}

func (t *Tokenizer) encode(dst []int32, text string, find *[2]*matcher, start bool) []int32 {
	if dst == nil {
		dst = make([]int32, 0, len(text)/4+4)
	}
	// The first text begins the whole, also after control tokens, which decoding leaves out.
	words := func(seg string) {
		dst = t.model.encode(dst, seg, start)
		start = false
	}
	token := func(id int32) {
		dst = append(dst, id)
		start = start && t.flags[id]&isSpecial != 0
	}
	plain := func(seg string) {
		seg = t.normalize.apply(seg)
		if find[1] == nil {
			words(seg)
			return
		}
		find[1].split(seg, func(s string, id int32) {
			if id != None {
				token(id)
			} else {
				words(s)
			}
		})
	}
	if find[0] == nil {
		if text != "" {
			plain(text)
		}
		return dst
	}
	find[0].split(text, func(s string, id int32) {
		if id != None {
			token(id)
		} else {
			plain(s)
		}
	})
	return dst
}

// Dropped returns how many bytes of text Encode leaves out because no token stands for them. It is 0 for a tokenizer
// with all 256 bytes, which then gives back every text byte for byte, invalid UTF-8 included.
func (t *Tokenizer) Dropped(text string) int {
	return t.model.dropped(t.normalize.apply(text))
}

// Decode returns the text of ids; control tokens are left out. Bytes come out as they went in, so a list cut inside a
// character ends in an incomplete one. An id without a token is written as U+FFFD.
func (t *Tokenizer) Decode(ids []int32) string { return t.decode(ids, false, t.dropSpace) }

// DecodeAll is Decode with control tokens shown as their text.
func (t *Tokenizer) DecodeAll(ids []int32) string { return t.decode(ids, true, t.dropSpace) }

// DecodeNext is Decode for ids that continue a text: a space at their start is kept.
func (t *Tokenizer) DecodeNext(ids []int32) string { return t.decode(ids, false, false) }

func (t *Tokenizer) decode(ids []int32, special, dropSpace bool) string {
	out := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		if id < 0 || int(id) >= len(t.pieces) || t.vocab[id] == "" {
			out = utf8.AppendRune(out, utf8.RuneError)
			dropSpace = false
			continue
		}
		if t.flags[id]&isSpecial != 0 {
			if special {
				out = append(out, t.pieces[id]...)
			}
			continue
		}
		p := t.pieces[id]
		if dropSpace {
			dropSpace = false
			if p != "" && p[0] == ' ' {
				p = p[1:]
			}
		}
		out = append(out, p...)
	}
	return string(out)
}

// Token returns the text of one token for display: control tokens by name, a part of a character as U+FFFD for each
// byte that does not decode. It is "" for an id without a token.
func (t *Tokenizer) Token(id int32) string {
	if id < 0 || int(id) >= len(t.pieces) {
		return ""
	}
	p := t.pieces[id]
	if utf8.ValidString(p) {
		return p
	}
	var out []rune
	for _, r := range p {
		out = append(out, r)
	}
	return string(out)
}

// Special returns the id of the added token with exactly this text.
func (t *Tokenizer) Special(text string) (int32, bool) {
	id, ok := t.byText[text]
	return id, ok
}

// IsSpecial reports whether id is a control token.
func (t *Tokenizer) IsSpecial(id int32) bool {
	return id >= 0 && int(id) < len(t.flags) && t.flags[id]&isSpecial != 0
}

// Added returns the tokens that are found as wholes, in the order of their file.
func (t *Tokenizer) Added() []Added { return append([]Added(nil), t.added...) }

// VocabSize returns one more than the largest id.
func (t *Tokenizer) VocabSize() int { return len(t.vocab) }

// BOS returns the id that begins a text, or None.
func (t *Tokenizer) BOS() int32 { return t.bos }

// EOS returns the id that ends a text, or None.
func (t *Tokenizer) EOS() int32 { return t.eos }

// Unk returns the id that stands for unknown text, or None.
func (t *Tokenizer) Unk() int32 { return t.unk }

// AddBOS reports whether a text is to begin with BOS, as the tokenizer's file says. Encode never adds it.
func (t *Tokenizer) AddBOS() bool { return t.addBOS && t.bos != None }

// Fingerprint returns a SHA-256 in hexadecimal over everything that decides over ids: the vocabulary, the merges, the
// pre-tokeniser, the added tokens and the roles of BOS, EOS and Unk. It does not depend on the file it came from.
func (t *Tokenizer) Fingerprint() string { return t.fingerprint() }

func (t *Tokenizer) digest() string {
	w := &summer{sha256.New()}
	w.text("tokenizer/1")
	w.num(len(t.vocab))
	for i := range t.vocab {
		w.text(t.pieces[i])
	}
	w.num(len(t.added))
	for _, a := range t.added {
		w.num(int(a.ID))
		w.text(a.Text)
		w.flags(a.Special, a.SingleWord, a.LStrip, a.RStrip, a.Normalized)
	}
	w.text(t.normalize.String())
	w.num(int(t.bos))
	w.num(int(t.eos))
	w.num(int(t.unk))
	w.flags(t.addBOS, t.dropSpace)
	t.model.sum(w)
	return hex.EncodeToString(w.h.Sum(nil))
}

// summer writes values with their lengths, so that no two lists of values look alike.
type summer struct{ h hash.Hash }

func (s *summer) num(n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	s.h.Write(b[:])
}

func (s *summer) text(t string) {
	s.num(len(t))
	s.h.Write([]byte(t))
}

func (s *summer) flags(f ...bool) {
	n := 0
	for i, on := range f {
		if on {
			n |= 1 << i
		}
	}
	s.num(n)
}
