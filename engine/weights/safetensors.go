// Package weights reads and writes the files that models live in: safetensors, GGUF and llama2.c. Every reader checks
// what the file claims against the file's size before it allocates, and every writer replaces a file only when the new
// one is whole.
package weights

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"strings"
)

// Tensor is a named array of float32. Data is row-major.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// File is an open file of tensors that are read one at a time.
type File struct {
	Metadata map[string]string // the "__metadata__" of a safetensors file
	names    []string
	info     map[string]entry
	r        io.ReaderAt
	close    func() error
	what     string
}

type entry struct {
	DType  string   `json:"dtype"`
	Shape  []int    `json:"shape"`
	Offset [2]int64 `json:"data_offsets"`
}

// maxHeader bounds the JSON header of a safetensors file, as the format does.
const maxHeader = 100 << 20

// OpenSafetensors opens a file. Close it when done.
func OpenSafetensors(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	s, err := ReadSafetensors(f, st.Size(), path)
	if err != nil {
		f.Close()
		return nil, err
	}
	s.close = f.Close
	return s, nil
}

// ReadSafetensors reads the header of size bytes behind r; what names the source in errors.
func ReadSafetensors(r io.ReaderAt, size int64, what string) (*File, error) {
	bad := func(format string, a ...any) (*File, error) {
		return nil, fmt.Errorf("weights.ReadSafetensors: %s: %s", what, fmt.Sprintf(format, a...))
	}
	var lenBuf [8]byte
	if size < 8 {
		return bad("is %d bytes long; wanted at least 8", size)
	}
	if _, err := r.ReadAt(lenBuf[:], 0); err != nil {
		return bad("%v", err)
	}
	n := binary.LittleEndian.Uint64(lenBuf[:])
	if n > maxHeader || int64(n) > size-8 {
		return bad("the header is said to be %d bytes long; the file has %d after its length", n, size-8)
	}
	header := make([]byte, n)
	if _, err := r.ReadAt(header, 8); err != nil {
		return bad("%v", err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(header, &raw); err != nil {
		return bad("the header is no JSON object: %v", err)
	}
	f := &File{info: map[string]entry{}, what: what, close: func() error { return nil }}
	base := 8 + int64(n)
	f.r = io.NewSectionReader(r, base, size-base)
	for name, v := range raw {
		if name == "__metadata__" {
			if err := json.Unmarshal(v, &f.Metadata); err != nil {
				return bad("__metadata__: %v", err)
			}
			continue
		}
		var e entry
		if err := json.Unmarshal(v, &e); err != nil {
			return bad("tensor %q: %v", name, err)
		}
		bytes, ok := dtypeBytes[e.DType]
		if !ok {
			return bad("tensor %q: type %q is not implemented; F32, F16 and BF16 are", name, e.DType)
		}
		count := int64(1)
		for _, d := range e.Shape {
			if d < 0 || d > 0 && count > math.MaxInt64/8/int64(d) {
				return bad("tensor %q: shape %v cannot be", name, e.Shape)
			}
			count *= int64(d)
		}
		if e.Offset[0] < 0 || e.Offset[1] < e.Offset[0] || e.Offset[1] > size-base {
			return bad("tensor %q: bytes %d to %d; the data has %d", name, e.Offset[0], e.Offset[1], size-base)
		}
		if e.Offset[1]-e.Offset[0] != count*bytes {
			return bad("tensor %q: %d bytes; shape %v of %s takes %d", name, e.Offset[1]-e.Offset[0], e.Shape, e.DType, count*bytes)
		}
		f.info[name] = e
		f.names = append(f.names, name)
	}
	sort.Slice(f.names, func(i, j int) bool { return f.info[f.names[i]].Offset[0] < f.info[f.names[j]].Offset[0] })
	end, last := int64(0), ""
	for _, name := range f.names {
		e := f.info[name]
		if e.Offset[0] < end {
			return bad("tensors %q and %q overlap: %d is before %d", last, name, e.Offset[0], end)
		}
		end, last = e.Offset[1], name
	}
	sort.Strings(f.names)
	return f, nil
}

var dtypeBytes = map[string]int64{"F32": 4, "F16": 2, "BF16": 2}

// Names returns the tensors' names in order.
func (f *File) Names() []string { return f.names }

// Has reports whether there is a tensor of that name.
func (f *File) Has(name string) bool { _, ok := f.info[name]; return ok }

// Close closes the file.
func (f *File) Close() error { return f.close() }

// Tensor reads a tensor and widens it to float32, which is exact.
func (f *File) Tensor(name string) (Tensor, error) {
	e, ok := f.info[name]
	if !ok {
		return Tensor{}, fmt.Errorf("weights: %s: no tensor %q", f.what, name)
	}
	raw := make([]byte, e.Offset[1]-e.Offset[0])
	if _, err := f.r.ReadAt(raw, e.Offset[0]); err != nil && !(err == io.EOF && len(raw) == 0) {
		return Tensor{}, fmt.Errorf("weights: %s: tensor %q: %w", f.what, name, err)
	}
	t := Tensor{Name: name, Shape: e.Shape, Data: make([]float32, int64(len(raw))/dtypeBytes[e.DType])}
	for i := range t.Data {
		switch e.DType {
		case "F32":
			t.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		case "F16":
			t.Data[i] = F16(binary.LittleEndian.Uint16(raw[2*i:]))
		case "BF16":
			t.Data[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	}
	return t, nil
}

// WriteSafetensors writes tensors in the order of their names, rounded to dtype ("F32", "F16", "BF16"; to nearest, ties
// to even). The same tensors give the same bytes. A value too large for F16 is an error that names its tensor.
func WriteSafetensors(w io.Writer, tensors []Tensor, metadata map[string]string, dtype string) error {
	size, ok := dtypeBytes[dtype]
	if !ok {
		return fmt.Errorf("weights.WriteSafetensors: type %q is not implemented; F32, F16 and BF16 are", dtype)
	}
	sorted := append([]Tensor(nil), tensors...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	// Keys are written by hand: "__metadata__" first, then the tensors in the order of their bytes.
	var h strings.Builder
	h.WriteByte('{')
	if len(metadata) > 0 {
		m, err := json.Marshal(metadata)
		if err != nil {
			return err
		}
		h.WriteString(`"__metadata__":`)
		h.Write(m)
	}
	off := int64(0)
	for i, t := range sorted {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		if n != len(t.Data) {
			return fmt.Errorf("weights.WriteSafetensors: tensor %q: %d elements; shape %v has %d", t.Name, len(t.Data), t.Shape, n)
		}
		if i > 0 && sorted[i-1].Name == t.Name {
			return fmt.Errorf("weights.WriteSafetensors: two tensors are called %q", t.Name)
		}
		end := off + int64(n)*size
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		e, err := json.Marshal(entry{dtype, shape, [2]int64{off, end}})
		if err != nil {
			return err
		}
		name, err := json.Marshal(t.Name)
		if err != nil {
			return err
		}
		if h.Len() > 1 {
			h.WriteByte(',')
		}
		h.Write(name)
		h.WriteByte(':')
		h.Write(e)
		off = end
	}
	h.WriteByte('}')
	for h.Len()%8 != 0 {
		h.WriteByte(' ') // tensors begin at a multiple of 8 bytes, so that readers can map them
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(h.Len())); err != nil {
		return err
	}
	if _, err := io.WriteString(w, h.String()); err != nil {
		return err
	}
	buf := make([]byte, 0, 1<<16)
	for _, t := range sorted {
		for i, x := range t.Data {
			switch dtype {
			case "F32":
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
			case "F16":
				b := ToF16(x)
				if b&0x7fff == 0x7c00 && !math.IsInf(float64(x), 0) {
					return fmt.Errorf("weights.WriteSafetensors: tensor %q: element %d is %g; F16 ends at 65504", t.Name, i, x)
				}
				buf = binary.LittleEndian.AppendUint16(buf, b)
			case "BF16":
				buf = binary.LittleEndian.AppendUint16(buf, ToBF16(x))
			}
			if len(buf) > 1<<16-8 {
				if _, err := w.Write(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
		}
	}
	_, err := w.Write(buf)
	return err
}
