package gpu

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"time"
)

// Rate is how fast a device did something.
type Rate struct {
	What  string
	Value float64
	Unit  string // "GB/s" or "TFLOP/s"
}

// Rates are the results of Bench.
type Rates []Rate

// String is a table of them.
func (r Rates) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, v := range r {
		fmt.Fprintf(w, "%s\t%.4g\t%s\n", v.What, v.Value, v.Unit)
	}
	w.Flush() // to a strings.Builder
	return strings.TrimSuffix(b.String(), "\n")
}

// Bench measures the device: a copy in its memory, products of square matrices in all three forms, causal attention forward
// and backward with heads of 128. Each number is the best of five. A card works on 1 GiB, matrices of 4,096 and as many
// tokens; a simulated card on very little, and its numbers say how fast the simulator is.
func (d *Device) Bench() Rates {
	floats, side, tokens, heads, size := 1<<28, 4096, 4096, 16, 128
	if d.b.Name() == "cuda-sim" {
		floats, side, tokens, heads, size = 1<<12, 32, 32, 1, 32
	}
	filled := func(n int) *Buffer {
		x := d.Empty(n)
		d.Call("Fill", x, 0.01)
		return x
	}
	x, y := filled(floats), filled(floats)
	lse, dQ, dK, dV := filled(tokens*heads), filled(tokens*heads*size), filled(tokens*heads*size), filled(tokens*heads*size)
	buffers := []*Buffer{x, y, lse, dQ, dK, dV}
	defer func() {
		for _, b := range buffers {
			b.Free()
		}
	}()
	best := func(f func()) float64 {
		t := math.Inf(1)
		for range 6 { // the first warms up
			start := time.Now()
			f()
			t = min(t, time.Since(start).Seconds())
		}
		return t
	}
	out := Rates{{"copy", 8 * float64(floats) / best(func() { d.Call("Copy", y, x) }) / 1e9, "GB/s"}}
	for _, form := range []string{"NT", "NN", "TN"} {
		t := best(func() { d.Call("MatMul", y, x, x, side, side, side, form, 1, 0) })
		out = append(out, Rate{fmt.Sprintf("product %s of %d", form, side), 2 * math.Pow(float64(side), 3) / t / 1e12, "TFLOP/s"})
	}
	segs := Segments(tokens)
	scale := 1 / math.Sqrt(float64(size))
	work := 2 * float64(tokens) * float64(tokens) * float64(heads*size) // two products over the lower half
	t := best(func() { d.Call("AttentionForward", y, lse, x, x, x, segs, heads, heads, size, scale) })
	out = append(out, Rate{fmt.Sprintf("attention of %d tokens", tokens), work / t / 1e12, "TFLOP/s"})
	t = best(func() { d.Call("AttentionBackward", dQ, dK, dV, x, x, x, x, y, lse, segs, heads, heads, size, scale) })
	return append(out, Rate{"its backward pass", 2.5 * work / t / 1e12, "TFLOP/s"})
}
