// Package ref is the definition of right: every operation of package backend in plain Go, on one thread, written as its
// formula reads. Sums run in float64 and are rounded to float32 once, when the result is stored. It is slow on
// purpose; nothing in it is clever. Package conform holds every other backend against it.
package ref

import (
	"fmt"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// Backend is the reference device. It keeps buffers in Go memory and finishes each call before it returns.
type Backend struct {
	backend.HostMemory
}

// New returns a reference device of its own, which shares nothing with other ones.
func New() *Backend { return &Backend{} }

func init() {
	backend.Register("ref", func() (backend.Backend, error) { return New(), nil })
}

// Name returns "ref".
func (*Backend) Name() string { return "ref" }

// Info says how the numbers are made.
func (*Backend) Info() string { return "plain Go, one thread, float64 sums" }

// floats returns the n floats that an operation may touch of a buffer. It panics when there are fewer.
func floats(op, name string, b backend.Buffer, n int) []float32 {
	h, ok := b.(*backend.HostBuffer)
	if !ok {
		panic(fmt.Sprintf("%s: %s is a %T; ref wants its own *backend.HostBuffer", op, name, b))
	}
	if h.DType() != tensor.F32 {
		panic(fmt.Sprintf("%s: %s holds %s; wanted %s", op, name, h.DType(), tensor.F32))
	}
	if len(h.F) < n {
		panic(fmt.Sprintf("%s: %s holds %d elements; wanted %d", op, name, len(h.F), n))
	}
	return h.F[:n]
}

// ints is floats for an I32 buffer.
func ints(op, name string, b backend.Buffer, n int) []int32 {
	h, ok := b.(*backend.HostBuffer)
	if !ok {
		panic(fmt.Sprintf("%s: %s is a %T; ref wants its own *backend.HostBuffer", op, name, b))
	}
	if h.DType() != tensor.I32 {
		panic(fmt.Sprintf("%s: %s holds %s; wanted %s", op, name, h.DType(), tensor.I32))
	}
	if len(h.I) < n {
		panic(fmt.Sprintf("%s: %s holds %d elements; wanted %d", op, name, len(h.I), n))
	}
	return h.I[:n]
}

// index returns an id as an int. It panics unless it lies in [0, n).
func index(op, name string, id int32, n int) int {
	if id < 0 || int(id) >= n {
		panic(fmt.Sprintf("%s: %s %d; wanted one of %d", op, name, id, n))
	}
	return int(id)
}

// dot returns Σ a[i]·b[i] in float64.
func dot(a, b []float32) float64 {
	var s float64
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

// round writes float64 results to a float32 row.
func round(dst []float32, src []float64) {
	for i, v := range src {
		dst[i] = float32(v)
	}
}

// addRounded adds float64 sums to a float32 row.
func addRounded(dst []float32, src []float64) {
	for i, v := range src {
		dst[i] = float32(float64(dst[i]) + v)
	}
}
