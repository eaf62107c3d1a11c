package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"sort"
	"unicode/utf8"
)

// Safetensors is an open safetensors file: eight bytes with the header's length, a JSON header that names every tensor's
// type, shape and bytes, then the bytes. Source: the safetensors format specification.
type Safetensors struct {
	File
	Metadata map[string]string // the header's __metadata__; empty when it has none
}

// maxHeader bounds the JSON header, as the reference implementation does.
const maxHeader = 100_000_000

// safetensorsBytes is the element size of every type the format knows.
var safetensorsBytes = map[string]int{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1,
	"I16": 2, "U16": 2, "F16": 2, "BF16": 2,
	"I32": 4, "U32": 4, "F32": 4,
	"F64": 8, "I64": 8, "U64": 8,
}

// OpenSafetensors opens a file of the disk.
func OpenSafetensors(path string) (*Safetensors, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ReadSafetensors(f, size, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	s.close = f.Close
	return s, nil
}

// OpenSafetensorsFS opens a file of a file system, such as one that is embedded in the binary.
func OpenSafetensorsFS(fsys fs.FS, name string) (*Safetensors, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	return ReadSafetensors(bytes.NewReader(b), int64(len(b)), name)
}

// ReadSafetensors opens the size bytes of r, which messages call place. r stays in use until the last tensor is read.
func ReadSafetensors(r io.ReaderAt, size int64, place string) (*Safetensors, error) {
	s := &Safetensors{File: File{place: place, r: r}, Metadata: map[string]string{}}
	if err := s.parse(size); err != nil {
		return nil, fmt.Errorf("weights: %s: %w", place, err)
	}
	return s, nil
}

// entry is a tensor in the header.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

func (s *Safetensors) parse(size int64) error {
	var length [8]byte
	if size < 8 {
		return fmt.Errorf("%d bytes; a safetensors file has at least 8", size)
	}
	if n, err := s.r.ReadAt(length[:], 0); n < 8 {
		return err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > uint64(size-8) {
		return fmt.Errorf("a header of %d bytes in a file of %d", n, size)
	}
	if n > maxHeader {
		return fmt.Errorf("a header of %d bytes; wanted at most %d", n, maxHeader)
	}
	header := make([]byte, n)
	if n, err := s.r.ReadAt(header, 8); n < len(header) {
		return err
	}
	start := 8 + int64(n)
	var infos []Info
	err := eachField(header, func(name string, value json.RawMessage) error {
		if name == "__metadata__" {
			if err := json.Unmarshal(value, &s.Metadata); err != nil {
				return fmt.Errorf("__metadata__: %w", err)
			}
			return nil
		}
		info, err := s.info(name, value, start, size)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		infos = append(infos, info)
		return nil
	})
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	return s.setInfos(infos, start, size, true)
}

// eachField calls f for the fields of a JSON object in their order. A name that comes twice is an error: a decoder into
// a map would keep the last in silence.
func eachField(object []byte, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil {
		return noEOF(err)
	} else if t != json.Delim('{') {
		return fmt.Errorf("begins with %v; wanted a JSON object", t)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return noEOF(err)
		}
		name := t.(string) // the decoder takes nothing else as the name of a field
		if seen[name] {
			return fmt.Errorf("%q stands there twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%q: %w", name, noEOF(err))
		}
		if err := f(name, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return noEOF(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("text behind the JSON object")
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (s *Safetensors) info(name string, value json.RawMessage, start, size int64) (Info, error) {
	e := entry{Offsets: [2]int64{-1, -1}}
	if err := json.Unmarshal(value, &e); err != nil {
		return Info{}, err
	}
	width, ok := safetensorsBytes[e.DType]
	if !ok {
		return Info{}, fmt.Errorf("elements of type %q, which the format does not know", e.DType)
	}
	info := Info{Name: name, Stored: name, Shape: make([]int, len(e.Shape))}
	for i, d := range e.Shape {
		if d < 0 || int64(int(d)) != d {
			return Info{}, fmt.Errorf("shape %v; wanted dimensions of 0 or more", e.Shape)
		}
		info.Shape[i] = int(d)
	}
	switch e.DType {
	case "F32":
		info.DType = F32
	case "F16":
		info.DType = F16
	case "BF16":
		info.DType = BF16
	default:
		info.other = e.DType
	}
	want, err := sizeOf(info.Shape, 1, width, e.DType)
	if err != nil {
		return Info{}, err
	}
	from, to := e.Offsets[0], e.Offsets[1]
	if from < 0 || to < from || to > size-start {
		return Info{}, fmt.Errorf("bytes %d to %d of %d", from, to, size-start)
	}
	if to-from != want {
		return Info{}, fmt.Errorf("%d bytes for %s %v; wanted %d", to-from, e.DType, info.Shape, want)
	}
	info.offset, info.bytes = start+from, want
	return info, nil
}

// WriteSafetensors writes tensors, sorted by name, as elements of type "F32", "F16" or "BF16" (rounded to nearest, ties
// to even). The same tensors and metadata give the same bytes. Errors: two tensors of one name, a name that is not UTF-8, data
// that does not fill its shape, a finite value that the type cannot hold, another type, and those of w.
func WriteSafetensors(w io.Writer, tensors []Tensor, metadata map[string]string, dtype string) error {
	for d := F32; d <= BF16; d++ {
		if d.String() == dtype {
			return writeSafetensorsAs(w, tensors, metadata, d)
		}
	}
	return fmt.Errorf("weights: write safetensors: elements of type %q; wanted F32, F16 or BF16", dtype)
}

func writeSafetensorsAs(w io.Writer, tensors []Tensor, metadata map[string]string, dtype DType) error {
	if err := writeSafetensors(w, tensors, metadata, dtype); err != nil {
		return fmt.Errorf("weights: write safetensors: %w", err)
	}
	return nil
}

func writeSafetensors(w io.Writer, tensors []Tensor, metadata map[string]string, dtype DType) error {
	sorted := append([]Tensor{}, tensors...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	header, err := safetensorsHeader(sorted, metadata, dtype)
	if err != nil {
		return err
	}
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(header)))
	if _, err := w.Write(length[:]); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	buf := make([]byte, 0, 1<<16)
	for _, t := range sorted {
		for at := 0; at < len(t.Data); at += cap(buf) / 4 {
			buf = buf[:0]
			for i, v := range t.Data[at:min(len(t.Data), at+cap(buf)/4)] {
				var ok bool
				if buf, ok = appendElement(buf, v, dtype); !ok {
					return fmt.Errorf("tensor %q: element %d is %v, which %s cannot hold", t.Name, at+i, v, dtype)
				}
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
	}
	return nil
}

func safetensorsHeader(sorted []Tensor, metadata map[string]string, dtype DType) ([]byte, error) {
	var b bytes.Buffer
	field := func(name string, value any) error {
		if !utf8.ValidString(name) {
			return fmt.Errorf("name %q is not UTF-8", name)
		}
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(text)
		return nil
	}
	if len(metadata) > 0 {
		for k, v := range metadata {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("metadata %q: %q is not UTF-8", k, v)
			}
		}
		if err := field("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	var at int64
	for i, t := range sorted {
		if t.Name == "__metadata__" {
			return nil, errors.New("a tensor of the name __metadata__, which the format keeps for itself")
		}
		if i > 0 && sorted[i-1].Name == t.Name {
			return nil, fmt.Errorf("two tensors of the name %q", t.Name)
		}
		e := entry{DType: dtype.String(), Shape: make([]int64, len(t.Shape))}
		for j, d := range t.Shape {
			if d < 0 {
				return nil, fmt.Errorf("tensor %q: shape %v; wanted dimensions of 0 or more", t.Name, t.Shape)
			}
			e.Shape[j] = int64(d)
		}
		n, err := bytesOf(t.Shape, dtype)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if have := int64(len(t.Data)) * int64(dtypes[dtype].bytes); have != n {
			return nil, fmt.Errorf("tensor %q: %d elements for shape %v; wanted %d", t.Name, len(t.Data), t.Shape, n/int64(dtypes[dtype].bytes))
		}
		e.Offsets = [2]int64{at, at + n}
		at += n
		if err := field(t.Name, e); err != nil {
			return nil, err
		}
	}
	if b.Len() == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 { // the data begins at a multiple of 8, as the format asks
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}

// appendElement appends v to buf; ok is false for a finite value that would become an infinity.
func appendElement(buf []byte, v float32, d DType) (_ []byte, ok bool) {
	le := binary.LittleEndian
	if d == F32 {
		return le.AppendUint32(buf, math.Float32bits(v)), true
	}
	bits, back := ToBFloat16(v), float32(0)
	if d == F16 {
		bits = ToFloat16(v)
		back = Float16(bits)
	} else {
		back = BFloat16(bits)
	}
	ok = math.IsInf(float64(back), 0) == math.IsInf(float64(v), 0)
	return le.AppendUint16(buf, bits), ok
}
