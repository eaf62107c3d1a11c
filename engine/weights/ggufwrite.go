package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"
)

// GGUFTensor is a tensor under Hugging Face's name and the element type that its file is to hold.
type GGUFTensor struct {
	Tensor
	As DType // F32, F16, BF16, Q8_0 or Q4_0
}

// ggufAlign is where tensors begin: multiples of it, from the start of the data.
const ggufAlign = 32

// WriteGGUF writes a file of version 3: metadata sorted by key behind general.architecture, then the tensors in their order under
// ggml's names, rounded or quantised to nearest as ggml's reference does it. Values are string, bool, uint32, int32, uint64,
// float32, []string, []int32 or []float32. The same input gives the same bytes. Errors: a name that ggml has none for, data
// that does not fill its shape, rows that are no whole blocks, a number that the type cannot hold, another type, and
// those of w.
func WriteGGUF(w io.Writer, meta map[string]any, tensors []GGUFTensor) error {
	if err := writeGGUF(w, meta, tensors); err != nil {
		return fmt.Errorf("weights: write GGUF: %w", err)
	}
	return nil
}

func writeGGUF(w io.Writer, meta map[string]any, tensors []GGUFTensor) error {
	const architecture = "general.architecture"
	if _, ok := meta[architecture].(string); !ok {
		return errors.New("the metadata has no " + architecture)
	}
	le := binary.LittleEndian
	b := append([]byte("GGUF"), 3, 0, 0, 0)
	b = le.AppendUint64(b, uint64(len(tensors)))
	b = le.AppendUint64(b, uint64(len(meta)))
	keys := make([]string, 0, len(meta))
	for k := range meta {
		if k != architecture {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	var err error
	for _, k := range append([]string{architecture}, keys...) {
		if b, err = appendGGUFValue(appendText(b, k), meta[k]); err != nil {
			return fmt.Errorf("key %q: %w", k, err)
		}
	}
	offset, seen := uint64(0), map[string]bool{}
	for _, t := range tensors {
		name, ok := ggmlName(t.Name)
		if !ok {
			return fmt.Errorf("tensor %q: ggml has no name for it", t.Name)
		}
		if seen[name] {
			return fmt.Errorf("two tensors of the name %q", name)
		}
		seen[name] = true
		number, ok := ggufNumber(t.As)
		if !ok {
			return fmt.Errorf("tensor %q: elements of type %s; wanted F32, F16, BF16, Q8_0 or Q4_0", t.Name, t.As)
		}
		size, err := bytesOf(t.Shape, t.As)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if n := size / int64(dtypes[t.As].bytes) * int64(dtypes[t.As].block); n != int64(len(t.Data)) {
			return fmt.Errorf("tensor %q: %d elements for shape %v; wanted %d", t.Name, len(t.Data), t.Shape, n)
		}
		b = le.AppendUint32(appendText(b, name), uint32(len(t.Shape)))
		for i := range t.Shape { // the fastest dimension first
			b = le.AppendUint64(b, uint64(t.Shape[len(t.Shape)-1-i]))
		}
		b = le.AppendUint64(le.AppendUint32(b, number), offset)
		offset += (uint64(size) + ggufAlign - 1) / ggufAlign * ggufAlign
	}
	if _, err := w.Write(padded(b, len(b))); err != nil {
		return err
	}
	var buf []byte
	for _, t := range tensors {
		const piece = 1 << 15 // elements, whole blocks of every type
		written := 0
		for at := 0; at < len(t.Data); at += piece {
			if buf, err = encode(buf[:0], t.Data[at:min(len(t.Data), at+piece)], t.As); err != nil {
				var odd *oddError
				if errors.As(err, &odd) {
					odd.at += at
				}
				return fmt.Errorf("tensor %q: %w", t.Name, err)
			}
			written += len(buf)
			if at+piece >= len(t.Data) {
				buf = padded(buf, written)
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
	}
	return nil
}

// padded appends zeros up to the next place where a tensor may begin, behind n bytes.
func padded(b []byte, n int) []byte {
	return append(b, make([]byte, (ggufAlign-n%ggufAlign)%ggufAlign)...)
}

// ggmlName returns ggml's name of a tensor, the opposite of hfName.
func ggmlName(name string) (string, bool) {
	for theirs, ours := range ggufNames {
		if ours == name {
			return theirs, true
		}
	}
	if rest, ok := strings.CutPrefix(name, "model.layers."); ok {
		if layer, part, ok := strings.Cut(rest, "."); ok {
			for theirs, ours := range ggufLayerNames {
				if ours == part {
					return "blk." + layer + "." + theirs, true
				}
			}
		}
	}
	return "", false
}

func ggufNumber(d DType) (uint32, bool) {
	switch d {
	case F32, F16, BF16, Q8_0, Q4_0:
		for number, t := range ggufTypes {
			if t.read && t.dtype == d {
				return number, true
			}
		}
	}
	return 0, false
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// appendGGUFValue appends the kind of a value and the value.
func appendGGUFValue(b []byte, v any) ([]byte, error) {
	le := binary.LittleEndian
	kind := func(k uint32) []byte { return le.AppendUint32(b, k) }
	list := func(k uint32, n int) []byte {
		return le.AppendUint64(le.AppendUint32(kind(ggufArray), k), uint64(n))
	}
	switch v := v.(type) {
	case string:
		return appendText(kind(ggufString), v), nil
	case bool:
		if v {
			return append(kind(ggufBool), 1), nil
		}
		return append(kind(ggufBool), 0), nil
	case uint32:
		return le.AppendUint32(kind(ggufUint32), v), nil
	case int32:
		return le.AppendUint32(kind(ggufInt32), uint32(v)), nil
	case uint64:
		return le.AppendUint64(kind(ggufUint64), v), nil
	case float32:
		return le.AppendUint32(kind(ggufFloat32), math.Float32bits(v)), nil
	case []string:
		b = list(ggufString, len(v))
		for _, s := range v {
			b = appendText(b, s)
		}
		return b, nil
	case []int32:
		b = list(ggufInt32, len(v))
		for _, n := range v {
			b = le.AppendUint32(b, uint32(n))
		}
		return b, nil
	case []float32:
		b = list(ggufFloat32, len(v))
		for _, x := range v {
			b = le.AppendUint32(b, math.Float32bits(x))
		}
		return b, nil
	}
	return nil, fmt.Errorf("a value of type %T; wanted string, bool, uint32, int32, uint64, float32, []string, []int32 or []float32", v)
}

// oddError is an element that a type cannot hold.
type oddError struct {
	at int
	v  float32
	as DType
}

func (e *oddError) Error() string {
	return fmt.Sprintf("element %d is %v, which %s cannot hold", e.at, e.v, e.as)
}

// encode appends x as elements of a type, the opposite of decode; of a quantised one x is whole blocks.
func encode(buf []byte, x []float32, d DType) ([]byte, error) {
	le := binary.LittleEndian
	if dtypes[d].block == 1 {
		for i, v := range x {
			var ok bool
			if buf, ok = appendElement(buf, v, d); !ok {
				return nil, &oddError{i, v, d}
			}
		}
		return buf, nil
	}
	if i := oddElement(x); i >= 0 {
		return nil, &oddError{i, x[i], d}
	}
	var codes [32]uint8
	var words [8]int32
	for ; len(x) > 0; x = x[32:] {
		if d == Q8_0 {
			buf = le.AppendUint16(buf, q8(words[:], x[:32], math.Float32frombits(magnitude(x[:32]))))
			for _, w := range words {
				buf = le.AppendUint32(buf, uint32(w))
			}
			continue
		}
		buf = le.AppendUint16(buf, q4(x[:32], codes[:]))
		for i := range 16 {
			buf = append(buf, codes[i]|codes[i+16]<<4)
		}
	}
	return buf, nil
}
