package backend

import (
	"fmt"

	"tunebook/engine/tensor"
)

// Meter is a device that computes nothing and counts the memory that is asked of it: a forward and a backward pass on a
// tape over a Meter tells what the same passes take on a host device, whose size classes it has. Buffers of another device
// may be given to its operations; they are not looked at.
type Meter struct {
	Ops                         // what has no method below: calling it is a programmer's error
	free [2][maxClass + 1]int64 // buffers that were given back, by size class
	peak int64                  // bytes of all buffers
}

// NewMeter returns a meter that has counted nothing.
func NewMeter() *Meter { return &Meter{} }

// Peak returns the bytes that a host device would hold after the same calls.
func (m *Meter) Peak() int64 { return m.peak }

type metered struct {
	dt    tensor.DType
	n     int
	class int // -1 for a slice
}

func (b *metered) DType() tensor.DType { return b.dt }
func (b *metered) Len() int            { return b.n }

func (b *metered) Slice(from, to int) Buffer { return &metered{b.dt, to - from, -1} }

// Alloc counts a buffer of n elements.
func (m *Meter) Alloc(dt tensor.DType, n int) Buffer {
	class, size := classOf(n)
	if class > maxClass {
		panic(fmt.Sprintf("backend: Meter: a buffer of %d elements", n))
	}
	for c := class; c <= min(class+larger, maxClass); c++ {
		if m.free[dt][c] > 0 {
			m.free[dt][c]--
			return &metered{dt, n, c}
		}
	}
	m.peak += 4 * int64(size)
	return &metered{dt, n, class}
}

// AllocUninit counts a buffer of n elements.
func (m *Meter) AllocUninit(dt tensor.DType, n int) Buffer { return m.Alloc(dt, n) }

// Free takes a buffer off the count.
func (m *Meter) Free(b Buffer) {
	if x, ok := b.(*metered); ok && x.class >= 0 {
		m.free[x.dt][x.class]++
		x.class = -1
	}
}

// Name and Info say what the device is.
func (*Meter) Name() string { return "meter" }
func (*Meter) Info() string { return "counts memory" }

// Upload and the rest of Memory move nothing.
func (*Meter) Upload(Buffer, []float32)           {}
func (*Meter) UploadInts(Buffer, []int32)         {}
func (*Meter) Download([]float32, Buffer) error   { return nil }
func (*Meter) DownloadInts([]int32, Buffer) error { return nil }
func (*Meter) Sync() error                        { return nil }

// The operations compute nothing.

func (*Meter) MatMul(Buffer, Buffer, Buffer, int, int, int, MatOp, float32, float32)            {}
func (*Meter) EmbeddingForward(Buffer, Buffer, Buffer, int, int)                                {}
func (*Meter) EmbeddingBackward(Buffer, Buffer, Buffer, int, int)                               {}
func (*Meter) RMSNormForward(Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, int, int, float32) {}
func (*Meter) RMSNormBackward(Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, int, int) {}
func (*Meter) LayerNormForward(Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, int, int, float32) {
}
func (*Meter) LayerNormBackward(Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, int, int) {
}
func (*Meter) AddBias(Buffer, Buffer, int, int)                                  {}
func (*Meter) SumRows(Buffer, Buffer, int, int)                                  {}
func (*Meter) RoPE(Buffer, Buffer, Buffer, Buffer, int, int, int, Pairing, bool) {}
func (*Meter) SwiGLUForward(Buffer, Buffer, Buffer, int)                         {}
func (*Meter) SwiGLUBackward(Buffer, Buffer, Buffer, Buffer, Buffer, int)        {}
func (*Meter) GeGLUForward(Buffer, Buffer, Buffer, int, bool)                    {}
func (*Meter) GeGLUBackward(Buffer, Buffer, Buffer, Buffer, Buffer, int, bool)   {}
func (*Meter) AttentionForward(Buffer, Buffer, Buffer, Buffer, Buffer, *Segments, int, int, int, float32) {
}
func (*Meter) AttentionBackward(Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, *Segments, int, int, int, float32) {
}
func (*Meter) LinearCrossEntropy(Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, int, int, int, float32) {
}
func (*Meter) Gather(Buffer, Buffer, Buffer, int, int)                                       {}
func (*Meter) Scatter(Buffer, Buffer, Buffer, int, int)                                      {}
func (*Meter) Fill(Buffer, float32)                                                          {}
func (*Meter) Copy(Buffer, Buffer)                                                           {}
func (*Meter) AddScaled(Buffer, Buffer, float32)                                             {}
func (*Meter) Sample(Buffer, Buffer, []Draw, int)                                            {}
func (*Meter) CrossEntropy(Buffer, Buffer, Buffer, int, int)                                 {}
func (*Meter) SumSquares(Buffer, []Buffer)                                                   {}
func (*Meter) AdamW([]AdamWTensor, AdamWStep)                                                {}
func (*Meter) RowNorms(Buffer, Buffer, int, int)                                             {}
func (*Meter) ScaleColumnsForward(Buffer, Buffer, Buffer, Buffer, int, int)                  {}
func (*Meter) ScaleColumnsBackward(Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, int, int) {}
func (*Meter) Dequantize(Buffer, Buffer, Buffer, int, Quant)                                 {}
func (*Meter) MatMulPacked(Buffer, Buffer, Buffer, Buffer, int, int, int, MatOp, Quant, float32, float32) {
}
func (*Meter) EmbeddingPacked(Buffer, Buffer, Buffer, Buffer, int, int, int, Quant) {}
