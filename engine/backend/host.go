package backend

import (
	"fmt"
	"math/bits"
	"sync"

	"tunebook/engine/internal/parts"
	"tunebook/engine/tensor"
)

// HostBuffer is a Buffer in Go memory. F holds an F32 buffer's elements, I an I32 buffer's; the other is nil.
type HostBuffer struct {
	F []float32
	I []int32

	class int16 // its size class + 1 when it came from a HostMemory and is not a slice
}

// DType says which of F and I is in use.
func (b *HostBuffer) DType() tensor.DType {
	if b.I != nil {
		return tensor.I32
	}
	return tensor.F32
}

// Len returns the number of elements.
func (b *HostBuffer) Len() int { return len(b.F) + len(b.I) }

// Slice returns elements [from, to) of the same memory.
func (b *HostBuffer) Slice(from, to int) Buffer {
	if b.I != nil {
		return &HostBuffer{I: b.I[from:to:to]}
	}
	return &HostBuffer{F: b.F[from:to:to]}
}

// HostMemory is Memory for backends that work in Go memory. Freed buffers are kept by size class and used again, so a
// training step allocates nothing once the first one has run.
type HostMemory struct {
	mu   sync.Mutex
	free [2][maxClass + 1][]HostBuffer
}

// classOf returns the size class that holds n elements: four classes for every power of two, so at most a quarter of
// a buffer is slack.
func classOf(n int) (class, size int) {
	if n <= 64 {
		return 0, 64
	}
	e := bits.Len(uint(n-1)) - 1 // 2^e < n ≤ 2^(e+1)
	q := (1 << e) / 4
	s := (n - 1<<e + q - 1) / q // 1 … 4
	return (e-6)*4 + s, 1<<e + s*q
}

// maxClass is the class of 2^38 elements.
const maxClass = 127

// Alloc returns n zeros.
func (m *HostMemory) Alloc(dt tensor.DType, n int) Buffer {
	b := m.take(dt, n)
	zero(b.F)
	clear(b.I)
	return b
}

// Adopter is a device that can use Go memory where it lies.
type Adopter interface {
	// Adopt makes x a buffer of the device: its owner does not write to it any more. Free leaves it to the garbage collector.
	Adopt(x []float32) Buffer
	AdoptInts(x []int32) Buffer
}

// Adopt makes x a buffer.
func (m *HostMemory) Adopt(x []float32) Buffer { return &HostBuffer{F: x} }

// AdoptInts makes x a buffer.
func (m *HostMemory) AdoptInts(x []int32) Buffer {
	if x == nil {
		x = []int32{} // which says that they are ints
	}
	return &HostBuffer{I: x}
}

// zero clears x, a large one with several threads: what it costs is the first use of its pages. Fresh memory is zero, but
// where it is read before it is written, every page fails twice.
func zero(x []float32) {
	const part = 1 << 20
	if len(x) <= part {
		clear(x)
		return
	}
	parts.Each(len(x), part, func(from, to int) { clear(x[from:to]) })
}

// AllocUninit returns n elements of any value.
func (m *HostMemory) AllocUninit(dt tensor.DType, n int) Buffer { return m.take(dt, n) }

func (m *HostMemory) take(dt tensor.DType, n int) *HostBuffer {
	if n < 0 {
		panic(fmt.Sprintf("backend: Alloc of %d elements", n))
	}
	class, size := classOf(n)
	if class <= maxClass {
		m.mu.Lock()
		if from := m.reusable(dt, class); from >= 0 {
			l := m.free[dt][from]
			b := l[len(l)-1]
			l[len(l)-1] = HostBuffer{}
			m.free[dt][from] = l[:len(l)-1]
			m.mu.Unlock()
			r := &HostBuffer{class: b.class}
			if dt == tensor.I32 {
				r.I = b.I[:n]
			} else {
				r.F = b.F[:n]
			}
			return r
		}
		m.mu.Unlock()
	} else {
		size = n
	}
	b := &HostBuffer{}
	if class <= maxClass {
		b.class = int16(class) + 1
	}
	if dt == tensor.I32 {
		b.I = make([]int32, size)[:n]
	} else {
		b.F = make([]float32, size)[:n]
	}
	return b
}

// larger is how many classes above its own a buffer may be taken from, up to double its size: what activations leave on the
// way back holds the gradients of the weights, and batches of other lengths share what earlier ones have left.
const larger = 4

// reusable returns the class of the smallest freed buffer that serves one of a class, -1 where there is none.
func (m *HostMemory) reusable(dt tensor.DType, class int) int {
	for c := class; c <= min(class+larger, maxClass); c++ {
		if len(m.free[dt][c]) > 0 {
			return c
		}
	}
	return -1
}

// Free gives a buffer back. It empties b, so that a later use through b fails at once instead of reading other data.
func (m *HostMemory) Free(buf Buffer) {
	b := buf.(*HostBuffer)
	if b.class == 0 {
		return // a slice, or larger than the classes: the garbage collector's
	}
	kept := HostBuffer{class: b.class}
	dt := tensor.F32
	if b.I != nil {
		dt = tensor.I32
		kept.I = b.I[:cap(b.I)]
	} else {
		kept.F = b.F[:cap(b.F)]
	}
	class := int(b.class) - 1
	*b = HostBuffer{}
	m.mu.Lock()
	m.free[dt][class] = append(m.free[dt][class], kept)
	m.mu.Unlock()
}

// Reusable returns the bytes of freed buffers that are kept for later.
func (m *HostMemory) Reusable() (n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for dt := range m.free {
		for _, list := range m.free[dt] {
			for _, b := range list {
				n += 4 * int64(cap(b.F)+cap(b.I))
			}
		}
	}
	return n
}

// Upload copies src to the start of dst.
func (m *HostMemory) Upload(dst Buffer, src []float32) {
	d := dst.(*HostBuffer).F
	if len(src) > len(d) {
		panic(fmt.Sprintf("backend: Upload of %d elements into a buffer of %d", len(src), len(d)))
	}
	copy(d, src)
}

// UploadInts copies src to the start of dst.
func (m *HostMemory) UploadInts(dst Buffer, src []int32) {
	d := dst.(*HostBuffer).I
	if len(src) > len(d) {
		panic(fmt.Sprintf("backend: UploadInts of %d elements into a buffer of %d", len(src), len(d)))
	}
	copy(d, src)
}

// Download copies the start of src to dst.
func (m *HostMemory) Download(dst []float32, src Buffer) error {
	s := src.(*HostBuffer).F
	if len(dst) > len(s) {
		panic(fmt.Sprintf("backend: Download of %d elements from a buffer of %d", len(dst), len(s)))
	}
	copy(dst, s)
	return nil
}

// DownloadInts copies the start of src to dst.
func (m *HostMemory) DownloadInts(dst []int32, src Buffer) error {
	s := src.(*HostBuffer).I
	if len(dst) > len(s) {
		panic(fmt.Sprintf("backend: DownloadInts of %d elements from a buffer of %d", len(dst), len(s)))
	}
	copy(dst, s)
	return nil
}

// Sync has nothing to wait for: host backends finish each call before they return.
func (m *HostMemory) Sync() error { return nil }
