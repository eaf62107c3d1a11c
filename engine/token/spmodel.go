package token

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Kinds of pieces in a SentencePiece model; GGUF's token types are the same numbers.
const (
	pieceNormal = iota + 1
	pieceUnknown
	pieceControl
	pieceUser
	pieceUnused
	pieceByte
)

// spPiece is one token of a SentencePiece model, its spaces written as ▁.
type spPiece struct {
	text  string
	score float32
	kind  int
}

// spModel is a SentencePiece model as its file describes it.
type spModel struct {
	pieces        []spPiece
	kind          int // 1 Unigram, 2 BPE
	fallback      bool
	suffix        bool
	unk, bos, eos int32
	charsmap      []byte
	prefix, tidy  bool
	escape        bool
	addBOS        bool
}

const (
	spUnigram = 1
	spBPE     = 2
)

// ReadModel returns the tokenizer of a SentencePiece tokenizer.model: Unigram or BPE, with or without byte fallback,
// with the file's own table of characters. The model types word and char, white space as a suffix, spaces that are not
// written as ▁, and unused tokens in a BPE are errors that name them. Texts that have no tokens become the unknown
// token, which Decode writes as " ⁇ "; Dropped counts their bytes.
func ReadModel(data []byte) (*Tokenizer, error) {
	const op = "token.ReadModel"
	m := newSPModel()
	if err := m.parse(data); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	t, err := m.tokenizer()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	t.source, t.sourceName = bytes.Clone(data), modelFileName
	return t, nil
}

// newSPModel is what a file that says nothing describes.
func newSPModel() spModel {
	return spModel{kind: spUnigram, unk: 0, bos: 1, eos: 2, prefix: true, tidy: true, escape: true, addBOS: true}
}

// protoField is one field of a protocol buffer message.
type protoField struct {
	num   int
	value uint64 // of varint and fixed fields
	bytes []byte // of length-delimited ones
}

// protoFields calls f for each field of a message. Source: the encoding page of protobuf.dev.
func protoFields(data []byte, f func(protoField) error) error {
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
			return fmt.Errorf("a field has no number; wanted a protocol buffer")
		}
		data = data[n:]
		p := protoField{num: int(tag >> 3)}
		switch tag & 7 {
		case 0:
			p.value, n = binary.Uvarint(data)
		case 1:
			if n = 8; len(data) >= n {
				p.value = binary.LittleEndian.Uint64(data)
			}
		case 2:
			size, k := binary.Uvarint(data)
			if k <= 0 || size > uint64(len(data)-k) {
				return fmt.Errorf("field %d: %d bytes; %d are left", p.num, size, len(data))
			}
			n = k + int(size)
			p.bytes = data[k:n]
		case 5:
			if n = 4; len(data) >= n {
				p.value = uint64(binary.LittleEndian.Uint32(data))
			}
		default:
			return fmt.Errorf("field %d: wire type %d; wanted 0, 1, 2 or 5", p.num, tag&7)
		}
		if n <= 0 || n > len(data) {
			return fmt.Errorf("field %d: the file ends in it", p.num)
		}
		data = data[n:]
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

// parse reads sentencepiece_model.proto: pieces (1), trainer_spec (2), normalizer_spec (3).
func (m *spModel) parse(data []byte) error {
	return protoFields(data, func(p protoField) error {
		switch p.num {
		case 1:
			piece := spPiece{kind: pieceNormal}
			err := protoFields(p.bytes, func(q protoField) error {
				switch q.num {
				case 1:
					piece.text = string(q.bytes)
				case 2:
					piece.score = math.Float32frombits(uint32(q.value))
				case 3:
					piece.kind = int(q.value)
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("piece %d: %w", len(m.pieces), err)
			}
			m.pieces = append(m.pieces, piece)
		case 2:
			return protoFields(p.bytes, func(q protoField) error {
				switch q.num {
				case 3:
					m.kind = int(q.value)
				case 24:
					m.suffix = q.value != 0
				case 35:
					m.fallback = q.value != 0
				case 40:
					m.unk = int32(q.value)
				case 41:
					m.bos = int32(q.value)
				case 42:
					m.eos = int32(q.value)
				}
				return nil
			})
		case 3:
			return protoFields(p.bytes, func(q protoField) error {
				switch q.num {
				case 2:
					m.charsmap = q.bytes
				case 3:
					m.prefix = q.value != 0
				case 4:
					m.tidy = q.value != 0
				case 5:
					m.escape = q.value != 0
				}
				return nil
			})
		}
		return nil
	})
}

// file writes m as a sentencepiece_model.proto, the counterpart of parse.
func (m *spModel) file() []byte {
	number := func(dst []byte, num int, v uint64) []byte {
		return binary.AppendUvarint(binary.AppendUvarint(dst, uint64(num)<<3), v)
	}
	text := func(dst []byte, num int, v []byte) []byte {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(num)<<3|2), uint64(len(v)))
		return append(dst, v...)
	}
	flag := func(v bool) uint64 {
		if v {
			return 1
		}
		return 0
	}
	var out []byte
	for _, p := range m.pieces {
		b := text(nil, 1, []byte(p.text))
		b = binary.LittleEndian.AppendUint32(append(b, 2<<3|5), math.Float32bits(p.score))
		out = text(out, 1, number(b, 3, uint64(p.kind)))
	}
	b := number(nil, 3, uint64(m.kind))
	b = number(b, 4, uint64(len(m.pieces)))
	b = number(b, 24, flag(m.suffix))
	b = number(b, 35, flag(m.fallback))
	for i, id := range []int32{m.unk, m.bos, m.eos, None} {
		b = number(b, 40+i, uint64(int64(id)))
	}
	out = text(out, 2, b)
	b = text(nil, 2, m.charsmap)
	b = number(b, 3, flag(m.prefix))
	b = number(b, 4, flag(m.tidy))
	return text(out, 3, number(b, 5, flag(m.escape)))
}

// built is tokenizer of a model that came from another file; it gets a file of this kind.
func (m *spModel) built() (*Tokenizer, error) {
	t, err := m.tokenizer()
	if err == nil {
		t.source, t.sourceName = m.file(), modelFileName
	}
	return t, err
}

// tokenizer builds what m describes.
func (m *spModel) tokenizer() (*Tokenizer, error) {
	switch {
	case m.kind != spUnigram && m.kind != spBPE:
		return nil, fmt.Errorf("model type %d is not implemented; wanted 1 (unigram) or 2 (bpe)", m.kind)
	case m.suffix:
		return nil, fmt.Errorf("treat_whitespace_as_suffix is not implemented")
	case !m.escape:
		return nil, fmt.Errorf("escape_whitespaces false is not implemented")
	}
	c := core{bos: m.role(m.bos), eos: m.role(m.eos), unk: m.role(m.unk), addBOS: m.addBOS, dropSpace: m.prefix}
	ids := make(map[string]int32, len(m.pieces))
	var words []string // tokens that a model writes, in order
	var user []Added
	var bytes [256]int32
	for b := range bytes {
		bytes[b] = None
	}
	scores := make([]float32, len(m.pieces))
	for i, p := range m.pieces {
		id := int32(i)
		if p.text == "" {
			return nil, fmt.Errorf("piece %d: it has no text", i)
		}
		if len(p.text) > 1<<10 {
			return nil, fmt.Errorf("piece %d: %d bytes; wanted %d at most", i, len(p.text), 1<<10)
		}
		if math.IsNaN(float64(p.score)) {
			return nil, fmt.Errorf("piece %d: its score is not a number", i)
		}
		if j, ok := ids[p.text]; ok {
			return nil, fmt.Errorf("pieces %d and %d: both are %q", j, i, p.text)
		}
		ids[p.text] = id
		scores[i] = p.score
		c.vocab = append(c.vocab, p.text)
		text := strings.ReplaceAll(p.text, blank, " ")
		switch p.kind {
		case pieceUser:
			user = append(user, Added{ID: id, Text: p.text})
			words = append(words, p.text)
		case pieceNormal:
			words = append(words, p.text)
		case pieceUnused:
			if m.kind == spBPE {
				return nil, fmt.Errorf("piece %d: unused tokens in a BPE are not implemented", i)
			}
		case pieceByte:
			b, ok := byteName(p.text)
			if !ok {
				return nil, fmt.Errorf("piece %d: %q; wanted a byte as <0x41>", i, p.text)
			}
			bytes[b] = id
			text = string([]byte{b})
		case pieceUnknown, pieceControl:
			c.added = append(c.added, Added{ID: id, Text: p.text, Special: true})
		default:
			return nil, fmt.Errorf("piece %d: type %d; there are 1 to 6", i, p.kind)
		}
		c.pieces = append(c.pieces, text)
	}
	if c.unk == None && !m.fallback {
		return nil, fmt.Errorf("unk_id %d: not among %d pieces", m.unk, len(m.pieces))
	}
	table, err := newCharsMap(m.charsmap)
	if err != nil {
		return nil, err
	}
	norm := &spNormalizer{table: table, user: newMatcher(user), prefix: m.prefix, tidy: m.tidy, unicode: !m.fallback}
	isWord := make([]bool, len(m.pieces))
	for _, w := range words {
		isWord[ids[w]] = true
	}
	for text, id := range ids {
		if !isWord[id] {
			delete(ids, text)
		}
	}
	if !m.fallback {
		for b := range bytes {
			bytes[b] = None
		}
	}
	if m.kind == spUnigram {
		u := newUnigram(ids, words, scores)
		u.norm, u.unk, u.bytes = norm, c.unk, bytes
		c.model = u
	} else {
		b := &scoredBPE{norm: norm, user: norm.user, bytes: bytes, unk: c.unk, prefix: None, chars: map[string]int32{}}
		for _, w := range words {
			if _, n := utf8.DecodeRuneInString(w); n == len(w) {
				b.chars[w] = ids[w]
			}
		}
		normal := func(id int32) bool { return isWord[id] && m.pieces[id].kind == pieceNormal }
		b.merges = scoredMerges(ids, c.vocab, scores, normal)
		b.findSpace(c.vocab, blank)
		c.model = b
	}
	t := build(c)
	if c.unk != None {
		// Unknown text comes out of plain text, so it is no control token, and decoding shows that something was there.
		t.flags[c.unk] &^= isSpecial
		t.pieces[c.unk] = " ⁇ "
	}
	return t, nil
}

// role returns id where there is a piece with that number.
func (m *spModel) role(id int32) int32 {
	if id < 0 || int(id) >= len(m.pieces) {
		return None
	}
	return id
}

// byteName returns the byte that a text of the form <0x41> names.
func byteName(s string) (byte, bool) {
	var b byte
	if len(s) != 6 || s[:3] != "<0x" || s[5] != '>' {
		return 0, false
	}
	for _, c := range []byte(s[3:5]) {
		switch {
		case c >= '0' && c <= '9':
			b = b<<4 | (c - '0')
		case c >= 'A' && c <= 'F':
			b = b<<4 | (c - 'A' + 10)
		case c >= 'a' && c <= 'f':
			b = b<<4 | (c - 'a' + 10)
		default:
			return 0, false
		}
	}
	return b, true
}
