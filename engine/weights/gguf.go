package weights

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
)

// GGUF is an open GGUF file, version 2 or 3, little-endian: metadata, a list of tensors, their bytes. Source: the GGUF
// specification of ggml.
type GGUF struct {
	File
	Meta Meta
}

// ggufTypes is the types of ggml by number. Those with a DType are read, the others are refused by their name.
var ggufTypes = map[uint32]struct {
	name  string
	dtype DType
	read  bool
}{
	0: {"F32", F32, true}, 1: {"F16", F16, true}, 2: {"Q4_0", Q4_0, true}, 3: {"Q4_1", Q4_1, true},
	6: {"Q5_0", Q5_0, true}, 7: {"Q5_1", Q5_1, true}, 8: {"Q8_0", Q8_0, true}, 12: {"Q4_K", Q4_K, true},
	13: {"Q5_K", Q5_K, true}, 14: {"Q6_K", Q6_K, true}, 30: {"BF16", BF16, true},
	9: {name: "Q8_1"}, 10: {name: "Q2_K"}, 11: {name: "Q3_K"}, 15: {name: "Q8_K"}, 16: {name: "IQ2_XXS"}, 17: {name: "IQ2_XS"},
	18: {name: "IQ3_XXS"}, 19: {name: "IQ1_S"}, 20: {name: "IQ4_NL"}, 21: {name: "IQ3_S"}, 22: {name: "IQ2_S"},
	23: {name: "IQ4_XS"}, 24: {name: "I8"}, 25: {name: "I16"}, 26: {name: "I32"}, 27: {name: "I64"}, 28: {name: "F64"},
	29: {name: "IQ1_M"}, 34: {name: "TQ1_0"}, 35: {name: "TQ2_0"}, 39: {name: "MXFP4"},
}

// OpenGGUF opens a file of the disk. Its tensors have Hugging Face's names; the rows of attn_q and attn_k are as the file
// has them, which is for interleaved RoPE in files of architecture "llama" (names.go).
func OpenGGUF(path string) (*GGUF, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	g, err := ReadGGUF(f, size, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	g.close = f.Close
	return g, nil
}

// ReadGGUF opens the size bytes of r, which messages call place. r stays in use until the last tensor is read.
func ReadGGUF(r io.ReaderAt, size int64, place string) (*GGUF, error) {
	g := &GGUF{File: File{place: place, r: r}, Meta: Meta{place: place, values: map[string]any{}}}
	p := &ggufParser{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), size: size}
	if err := g.parse(p); err != nil {
		return nil, fmt.Errorf("weights: %s: %w", place, err)
	}
	return g, nil
}

// ggufParser reads little-endian numbers and keeps count, so that messages name the byte and no count is believed that
// the rest of the file could not hold.
type ggufParser struct {
	r        *bufio.Reader
	at, size int64
	buf      [8]byte
}

func (p *ggufParser) bytes(n int) ([]byte, error) {
	b := p.buf[:n]
	if int64(n) > p.size-p.at {
		return nil, fmt.Errorf("%d bytes at byte %d; the file ends at %d", n, p.at, p.size)
	}
	if _, err := io.ReadFull(p.r, b); err != nil {
		return nil, fmt.Errorf("%d bytes at byte %d: %w", n, p.at, err)
	}
	p.at += int64(n)
	return b, nil
}

func (p *ggufParser) u32() (uint32, error) {
	b, err := p.bytes(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (p *ggufParser) u64() (uint64, error) {
	b, err := p.bytes(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// count reads the number of things that take at least each bytes of the file.
func (p *ggufParser) count(what string, each int64) (int, error) {
	at := p.at
	n, err := p.u64()
	if err != nil {
		return 0, err
	}
	if most := (p.size - p.at) / each; n > uint64(most) {
		return 0, fmt.Errorf("%d %s at byte %d; the rest of the file holds at most %d", n, what, at, most)
	}
	return int(n), nil
}

func (p *ggufParser) text() (string, error) {
	n, err := p.count("bytes of text", 1)
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(p.r, b); err != nil {
		return "", fmt.Errorf("%d bytes of text at byte %d: %w", n, p.at, err)
	}
	p.at += int64(n)
	return string(b), nil
}

func (g *GGUF) parse(p *ggufParser) error {
	magic, err := p.bytes(4)
	if err != nil {
		return err
	}
	if string(magic) != "GGUF" {
		return fmt.Errorf("begins with %q; a GGUF file with %q", magic, "GGUF")
	}
	version, err := p.u32()
	if err != nil {
		return err
	}
	if version != 2 && version != 3 {
		return fmt.Errorf("GGUF version %d; wanted 2 or 3, little-endian", version)
	}
	tensors, err := p.count("tensors", 8+4+4+8)
	if err != nil {
		return err
	}
	keys, err := p.count("keys", 8+4+1)
	if err != nil {
		return err
	}
	for range keys {
		at := p.at
		key, err := p.text()
		if err != nil {
			return err
		}
		if g.Meta.Has(key) {
			return fmt.Errorf("key %q at byte %d stands there twice", key, at)
		}
		value, err := p.value()
		if err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
		g.Meta.values[key] = value
	}
	infos := make([]Info, tensors)
	for i := range infos {
		if infos[i], err = p.tensor(); err != nil {
			return fmt.Errorf("tensor %d of %d: %w", i, tensors, err)
		}
	}
	align := 32
	if g.Meta.Has("general.alignment") {
		if align, err = g.Meta.Int("general.alignment"); err != nil {
			return err
		}
		if align <= 0 || align%8 != 0 || align > 1<<20 {
			return fmt.Errorf("general.alignment is %d; wanted a multiple of 8 up to %d", align, 1<<20)
		}
	}
	start := (p.at + int64(align) - 1) / int64(align) * int64(align)
	for i, in := range infos {
		if in.offset%int64(align) != 0 {
			return fmt.Errorf("tensor %q: offset %d; wanted a multiple of %d", in.Stored, in.offset, align)
		}
		if in.offset > p.size-start {
			return fmt.Errorf("tensor %q: offset %d; the file holds %d bytes of data", in.Stored, in.offset, max(0, p.size-start))
		}
		infos[i].offset += start
	}
	return g.setInfos(infos, start, p.size, false)
}

// tensor reads one entry of the list. Its offset is still relative to the data.
func (p *ggufParser) tensor() (Info, error) {
	name, err := p.text()
	if err != nil {
		return Info{}, err
	}
	in := Info{Name: hfName(name), Stored: name}
	fail := func(err error) (Info, error) { return Info{}, fmt.Errorf("%q: %w", name, err) }
	dims, err := p.u32()
	if err != nil {
		return fail(err)
	}
	if dims > 4 {
		return fail(fmt.Errorf("%d dimensions; wanted at most 4", dims))
	}
	in.Shape = make([]int, dims)
	for i := range in.Shape { // the file names the fastest dimension first
		d, err := p.u64()
		if err != nil {
			return fail(err)
		}
		if d > math.MaxInt32 {
			return fail(fmt.Errorf("a dimension of %d; wanted at most %d", d, math.MaxInt32))
		}
		in.Shape[len(in.Shape)-1-i] = int(d)
	}
	number, err := p.u32()
	if err != nil {
		return fail(err)
	}
	t, known := ggufTypes[number]
	switch {
	case !known:
		return fail(fmt.Errorf("elements of ggml type %d, which is not known", number))
	case !t.read:
		return fail(fmt.Errorf("elements of type %s; wanted F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K", t.name))
	}
	in.DType = t.dtype
	if in.bytes, err = bytesOf(in.Shape, in.DType); err != nil {
		return fail(err)
	}
	offset, err := p.u64()
	if err != nil {
		return fail(err)
	}
	if offset > uint64(p.size) {
		return fail(fmt.Errorf("offset %d in a file of %d bytes", offset, p.size))
	}
	in.offset = int64(offset)
	return in, nil
}

// The kinds of metadata values, by the numbers of the format.
const (
	ggufUint8 = iota
	ggufInt8
	ggufUint16
	ggufInt16
	ggufUint32
	ggufInt32
	ggufFloat32
	ggufBool
	ggufString
	ggufArray
	ggufUint64
	ggufInt64
	ggufFloat64
)

// ggufWidth is the bytes of a value, for strings and arrays the least that one takes.
var ggufWidth = [...]int64{1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8}

func (p *ggufParser) value() (any, error) {
	kind, err := p.u32()
	if err != nil {
		return nil, err
	}
	return p.valueOf(kind, 0)
}

// valueOf reads a value: Go's type of the same name for a scalar, []string, []int64, []uint64, []float64, []bool for an array
// of those or of narrower ones, []any for an array of arrays.
func (p *ggufParser) valueOf(kind uint32, depth int) (any, error) {
	le := binary.LittleEndian
	if int(kind) >= len(ggufWidth) {
		return nil, fmt.Errorf("a value of kind %d at byte %d; the kinds are 0 to %d", kind, p.at, len(ggufWidth)-1)
	}
	switch kind {
	case ggufString:
		return p.text()
	case ggufArray:
		return p.array(depth)
	}
	b, err := p.bytes(int(ggufWidth[kind]))
	if err != nil {
		return nil, err
	}
	switch kind {
	case ggufUint8:
		return b[0], nil
	case ggufInt8:
		return int8(b[0]), nil
	case ggufUint16:
		return le.Uint16(b), nil
	case ggufInt16:
		return int16(le.Uint16(b)), nil
	case ggufUint32:
		return le.Uint32(b), nil
	case ggufInt32:
		return int32(le.Uint32(b)), nil
	case ggufFloat32:
		return math.Float32frombits(le.Uint32(b)), nil
	case ggufBool:
		if b[0] > 1 {
			return nil, fmt.Errorf("a bool of value %d at byte %d; wanted 0 or 1", b[0], p.at-1)
		}
		return b[0] == 1, nil
	case ggufUint64:
		return le.Uint64(b), nil
	case ggufInt64:
		return int64(le.Uint64(b)), nil
	}
	return math.Float64frombits(le.Uint64(b)), nil
}

func (p *ggufParser) array(depth int) (any, error) {
	if depth > 3 {
		return nil, fmt.Errorf("arrays in arrays in arrays in arrays in arrays at byte %d; wanted at most 4 deep", p.at)
	}
	kind, err := p.u32()
	if err != nil {
		return nil, err
	}
	if int(kind) >= len(ggufWidth) {
		return nil, fmt.Errorf("an array of kind %d at byte %d; the kinds are 0 to %d", kind, p.at-4, len(ggufWidth)-1)
	}
	n, err := p.count("elements", ggufWidth[kind])
	if err != nil {
		return nil, err
	}
	switch kind {
	case ggufString:
		return elements[string](p, n, kind, depth, func(v any) string { return v.(string) })
	case ggufArray:
		return elements[any](p, n, kind, depth, func(v any) any { return v })
	case ggufBool:
		return elements[bool](p, n, kind, depth, func(v any) bool { return v.(bool) })
	case ggufFloat32:
		return elements[float64](p, n, kind, depth, func(v any) float64 { return float64(v.(float32)) })
	case ggufFloat64:
		return elements[float64](p, n, kind, depth, func(v any) float64 { return v.(float64) })
	case ggufUint64:
		return elements[uint64](p, n, kind, depth, func(v any) uint64 { return v.(uint64) })
	}
	return elements[int64](p, n, kind, depth, func(v any) int64 {
		i, _ := toInt64(v)
		return i
	})
}

// elements reads an array. Every element takes some bytes of the file, which the caller compared with its rest.
func elements[E any](p *ggufParser, n int, kind uint32, depth int, as func(any) E) (any, error) {
	list := make([]E, n)
	for i := range list {
		v, err := p.valueOf(kind, depth+1)
		if err != nil {
			return nil, fmt.Errorf("element %d of %d: %w", i, n, err)
		}
		list[i] = as(v)
	}
	return list, nil
}

// ErrNoKey means that a GGUF file's metadata has no value under a key.
var ErrNoKey = errors.New("no such key")

// Meta is the metadata of a GGUF file. Its methods err with ErrNoKey for a key that is not there, and with the kind of the
// value for one of another kind.
type Meta struct {
	place  string
	values map[string]any
}

// Keys returns all keys, sorted.
func (m Meta) Keys() []string {
	keys := make([]string, 0, len(m.values))
	for k := range m.values {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Has tells whether there is a value under a key.
func (m Meta) Has(key string) bool {
	_, ok := m.values[key]
	return ok
}

// Value returns what the file has: a number of the width that it is stored in, string, bool, or []string, []int64 (every
// width of integer but uint64), []uint64, []float64, []bool, []any for arrays. ok is false where there is none.
func (m Meta) Value(key string) (v any, ok bool) {
	v, ok = m.values[key]
	return v, ok
}

func (m Meta) want(key, kind string) error {
	v, ok := m.values[key]
	if !ok {
		return fmt.Errorf("weights: %s: key %q: %w", m.place, key, ErrNoKey)
	}
	return fmt.Errorf("weights: %s: key %q holds %T; wanted %s", m.place, key, v, kind)
}

// String returns a text.
func (m Meta) String(key string) (string, error) {
	if s, ok := m.values[key].(string); ok {
		return s, nil
	}
	return "", m.want(key, "a text")
}

// Int returns an integer of any width that an int can hold.
func (m Meta) Int(key string) (int, error) {
	if i, ok := toInt64(m.values[key]); ok && int64(int(i)) == i {
		return int(i), nil
	}
	return 0, m.want(key, "an integer")
}

// Float returns a number.
func (m Meta) Float(key string) (float64, error) {
	switch v := m.values[key].(type) {
	case float32:
		return float64(v), nil
	case float64:
		return v, nil
	default:
		if i, ok := toInt64(v); ok {
			return float64(i), nil
		}
	}
	return 0, m.want(key, "a number")
}

// Bool returns a truth value.
func (m Meta) Bool(key string) (bool, error) {
	if b, ok := m.values[key].(bool); ok {
		return b, nil
	}
	return false, m.want(key, "a bool")
}

// Strings returns a list of texts, such as tokenizer.ggml.tokens. The caller may not change it.
func (m Meta) Strings(key string) ([]string, error) {
	if s, ok := m.values[key].([]string); ok {
		return s, nil
	}
	return nil, m.want(key, "a list of texts")
}

// Ints returns a list of integers, such as tokenizer.ggml.token_type.
func (m Meta) Ints(key string) ([]int, error) {
	switch list := m.values[key].(type) {
	case []int64:
		return convert[int](list), nil
	case []uint64:
		for _, v := range list {
			if v > math.MaxInt {
				return nil, fmt.Errorf("weights: %s: key %q holds %d; wanted integers up to %d", m.place, key, v, math.MaxInt)
			}
		}
		return convert[int](list), nil
	}
	return nil, m.want(key, "a list of integers")
}

// Floats returns a list of numbers, such as tokenizer.ggml.scores.
func (m Meta) Floats(key string) ([]float64, error) {
	switch list := m.values[key].(type) {
	case []float64:
		return append([]float64{}, list...), nil
	case []int64:
		return convert[float64](list), nil
	case []uint64:
		return convert[float64](list), nil
	}
	return nil, m.want(key, "a list of numbers")
}

func convert[To, From int | int64 | uint64 | float64](list []From) []To {
	out := make([]To, len(list))
	for i, v := range list {
		out[i] = To(v)
	}
	return out
}

func toInt64(v any) (int64, bool) {
	switch v := v.(type) {
	case uint8:
		return int64(v), true
	case int8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case int16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint64:
		return int64(v), v <= math.MaxInt64
	case int64:
		return v, true
	}
	return 0, false
}
