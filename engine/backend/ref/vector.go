package ref

import (
	"fmt"

	"tunebook/engine/backend"
)

// pair returns two buffers' floats. It panics unless they have the same length.
func pair(op string, a, b backend.Buffer) (as, bs []float32) {
	if a.Len() != b.Len() {
		panic(fmt.Sprintf("%s: %d and %d elements; wanted the same length", op, a.Len(), b.Len()))
	}
	return floats(op, "destination", a, a.Len()), floats(op, "source", b, b.Len())
}

// Fill writes v to every element.
func (*Backend) Fill(x backend.Buffer, v float32) {
	xs := floats("Fill", "x", x, x.Len())
	for i := range xs {
		xs[i] = v
	}
}

// Copy writes dst = src.
func (*Backend) Copy(dst, src backend.Buffer) {
	d, s := pair("Copy", dst, src)
	copy(d, s)
}

// AddScaled adds alpha·x to y.
func (*Backend) AddScaled(y, x backend.Buffer, alpha float32) {
	ys, xs := pair("AddScaled", y, x)
	for i := range ys {
		ys[i] = float32(float64(ys[i]) + float64(alpha)*float64(xs[i]))
	}
}

// SumSquares writes Σ xs[i]² to out[i].
func (*Backend) SumSquares(out backend.Buffer, xs []backend.Buffer) {
	to := floats("SumSquares", "out", out, len(xs))
	for i, x := range xs {
		x := floats("SumSquares", "x", x, x.Len())
		to[i] = float32(dot(x, x))
	}
}
