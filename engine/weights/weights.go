// Package weights reads the files that hold models (safetensors, GGUF, llama2.c) and writes safetensors.
//
// Whatever a file's format and element type, its tensors come out as float32, row-major, under the names that Hugging
// Face's Llama models use ("model.layers.0.self_attn.q_proj.weight"; see names.go). Opening a file reads and checks
// everything but the elements: every offset and every size, so that a truncated or damaged file is refused at once, with
// the place and both numbers. Elements are read one tensor at a time.
//
// A file that was opened may be replaced (AtomicWrite, a rename) while it is read: what was opened is read to its end.
package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"os"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"unsafe"

	"tunebook/engine/internal/pages"
)

// Tensor is one named array of a model. Data is row-major; its length is the product of Shape.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// DType is how a file stores elements.
type DType uint8

// The element types that are read. F32, F16 and BF16 are written as well.
const (
	F32  DType = iota
	F16        // IEEE 754 binary16
	BF16       // the upper half of an F32
	Q4_0       // 32 elements share an F16 scale; 4 bits each
	Q4_1       // 32 elements share an F16 scale and an F16 minimum; 4 bits each
	Q8_0       // 32 elements share an F16 scale; 8 bits each
	Q5_0       // as Q4_0, with 5 bits each
	Q5_1       // as Q4_1, with 5 bits each
	Q4_K       // 256 elements share an F16 scale and an F16 minimum, 32 a 6-bit multiple of each; 4 bits each
	Q5_K       // as Q4_K, with 5 bits each
	Q6_K       // 256 elements share an F16 scale, 16 an 8-bit multiple of it; 6 bits each
)

var dtypes = [...]struct {
	name         string
	block, bytes int // elements of a block and its size in the file
}{
	F32: {"F32", 1, 4}, F16: {"F16", 1, 2}, BF16: {"BF16", 1, 2},
	Q4_0: {"Q4_0", 32, 18}, Q4_1: {"Q4_1", 32, 20}, Q8_0: {"Q8_0", 32, 34},
	Q5_0: {"Q5_0", 32, 22}, Q5_1: {"Q5_1", 32, 24}, Q4_K: {"Q4_K", 256, 144}, Q5_K: {"Q5_K", 256, 176}, Q6_K: {"Q6_K", 256, 210},
}

// String returns the type's name as files write it.
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Info says what a file holds under a name.
type Info struct {
	Name   string // the name that File.Tensor takes
	Stored string // the name in the file
	Shape  []int
	DType  DType
	offset int64 // of the first byte, from the start of the file
	bytes  int64
	other  string // the name of an element type that is not read; DType is then without meaning
}

// File is the list of a file's tensors and the way to their elements. Its methods may be called from several
// goroutines.
type File struct {
	place string // what messages call it
	r     io.ReaderAt
	close func() error
	infos []Info // sorted by name
	index map[string]int
}

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string {
	names := make([]string, len(f.infos))
	for i := range f.infos {
		names[i] = f.infos[i].Name
	}
	return names
}

// Info returns what is known of a tensor without reading it.
func (f *File) Info(name string) (Info, bool) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, false
	}
	return f.infos[i], true
}

// Has tells whether there is a tensor of that name.
func (f *File) Has(name string) bool {
	_, ok := f.index[name]
	return ok
}

// Tensor reads one tensor as float32. Errors: a name that the file does not have, an element type that is not read, and
// those of reading.
func (f *File) Tensor(name string) (Tensor, error) {
	info, n, err := f.readable(name)
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Name: name, Shape: append([]int{}, info.Shape...), Data: make([]float32, n)}
	if err := f.read(t.Data, info); err != nil {
		return Tensor{}, fmt.Errorf("weights: %s: tensor %q: %w", f.place, info.Stored, err)
	}
	return t, nil
}

// readable returns what is known of a tensor whose elements are of a type that is read, and their number.
func (f *File) readable(name string) (info Info, n int, err error) {
	i, ok := f.index[name]
	if !ok {
		return info, 0, fmt.Errorf("weights: %s: no tensor %q among %d", f.place, name, len(f.infos))
	}
	info = f.infos[i]
	if info.other != "" {
		return info, 0, fmt.Errorf("weights: %s: tensor %q: elements of type %s; wanted F32, F16 or BF16", f.place, info.Stored, info.other)
	}
	n = 1
	for _, d := range info.Shape {
		n *= d
	}
	return info, n, nil
}

// read fills dst from the file.
func (f *File) read(dst []float32, info Info) error {
	if info.DType == F32 && littleEndian {
		return f.pieces(info, 1<<18, func(first int, size int64) []byte {
			b := unsafe.Slice((*byte)(unsafe.Pointer(&dst[first])), size)
			pages.Populate(b)
			return b
		}, func(int, []byte) error { return nil })
	}
	block := dtypes[info.DType].block
	return f.pieces(info, 1<<15, nil, func(first int, src []byte) error {
		decode(dst[first*block:][:len(src)/dtypes[info.DType].bytes*block], src, info.DType)
		return nil
	})
}

// pieces reads a tensor's bytes in pieces of so many blocks, which goroutines share, and hands each to use with the number of its
// first block. to gives the memory that size bytes are read to; with nil a goroutine has memory of its own, which use may not
// keep. The error is that of the first piece that fails.
func (f *File) pieces(info Info, blocks int, to func(first int, size int64) []byte, use func(first int, src []byte) error) error {
	piece := int64(blocks * dtypes[info.DType].bytes)
	n := int((info.bytes + piece - 1) / piece)
	errs := make([]error, n)
	var next atomic.Int64
	work := func() {
		var buf []byte
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			at := int64(i) * piece
			size := min(piece, info.bytes-at)
			if to != nil {
				buf = to(i*blocks, size)
			} else if buf == nil {
				buf = make([]byte, size) // no later piece is longer
			}
			if got, err := f.r.ReadAt(buf[:size], info.offset+at); int64(got) < size {
				errs[i] = fmt.Errorf("%d of %d bytes: %w", at+int64(got), info.bytes, err)
				return
			}
			if errs[i] = use(i*blocks, buf[:size]); errs[i] != nil {
				return
			}
		}
	}
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// littleEndian tells whether this machine holds float32 as files do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Close gives the file back. Tensors that were read stay.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// setInfos checks that the tensors of [start, end) do not overlap and have distinct names, and makes the list.
// whole demands that they leave no byte between them.
func (f *File) setInfos(infos []Info, start, end int64, whole bool) error {
	sort.Slice(infos, func(i, j int) bool {
		if infos[i].offset != infos[j].offset {
			return infos[i].offset < infos[j].offset
		}
		return infos[i].bytes < infos[j].bytes // an empty tensor before the one that begins where it lies
	})
	at, before := start, "the header"
	for _, in := range infos {
		if in.offset < at {
			return fmt.Errorf("tensor %q begins at byte %d, inside %s, which ends at %d", in.Stored, in.offset, before, at)
		}
		if whole && in.offset > at {
			return fmt.Errorf("tensor %q begins at byte %d; wanted %d, where %s ends", in.Stored, in.offset, at, before)
		}
		if in.bytes > end-in.offset {
			return fmt.Errorf("tensor %q: bytes %d to %d; the file ends at %d", in.Stored, in.offset, in.offset+in.bytes, end)
		}
		at, before = in.offset+in.bytes, fmt.Sprintf("tensor %q", in.Stored)
	}
	if whole && at != end {
		return fmt.Errorf("%d bytes behind %s; wanted none", end-at, before)
	}
	sort.Slice(infos, func(i, j int) bool { return infos[i].Name < infos[j].Name })
	f.infos, f.index = infos, make(map[string]int, len(infos))
	for i, in := range infos {
		if first, ok := f.index[in.Name]; ok {
			return fmt.Errorf("tensors %q and %q are both %s", infos[first].Stored, in.Stored, in.Name)
		}
		f.index[in.Name] = i
	}
	return nil
}

// bytesOf returns the size of a tensor of that shape. It errs unless the last dimension is whole blocks and the size is
// below 2^62.
func bytesOf(shape []int, d DType) (int64, error) {
	return sizeOf(shape, dtypes[d].block, dtypes[d].bytes, d.String())
}

func sizeOf(shape []int, block, bytes int, name string) (int64, error) {
	n := uint64(bytes)
	for i, d := range shape {
		m := uint64(d)
		if i == len(shape)-1 {
			if d%block != 0 {
				return 0, fmt.Errorf("rows of %d elements; %s wants a multiple of %d", d, name, block)
			}
			m /= uint64(block)
		}
		hi, lo := bits.Mul64(n, m)
		if hi != 0 || lo >= 1<<62 {
			return 0, fmt.Errorf("shape %v is too large for any file", shape)
		}
		n = lo
	}
	if len(shape) == 0 && block != 1 {
		return 0, fmt.Errorf("a single element; %s wants a multiple of %d", name, block)
	}
	return int64(n), nil
}

// openFile opens a file of the disk for a parser.
func openFile(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("weights: %w", err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("weights: %w", err)
	}
	return f, st.Size(), nil
}
