package gpu

import (
	"fmt"
	"math"
	"slices"
	"time"

	"tunebook/engine/backend/cuda"
	"tunebook/stdlib/chart"
	"tunebook/stdlib/internal/grid"
)

// Rate is how fast a device did something: the best of five times.
type Rate struct {
	What  string
	Value float64
	Unit  string    // "GB/s" or "TFLOP/s"
	All   []float64 // all five
	Limit float64   // what the card can do at most by its own account, in the same unit; 0 where that is not known
}

// Share is the part of the card's limit that was reached, NaN where the limit is not known.
func (r Rate) Share() float64 {
	if r.Limit == 0 {
		return math.NaN()
	}
	return r.Value / r.Limit
}

// Rates are the results of Bench.
type Rates struct {
	Device    string
	Simulated bool // the times are those of the simulator and say nothing of a card
	Rates     []Rate
}

const noMeasure = "A simulated card: the times are the simulator's and no measure of any card."

// table lists the rates with their limits.
func (r Rates) table() *grid.Table {
	t := &grid.Table{Caption: r.Device, Columns: []grid.Column{{Name: "what"}, {Name: "rate", Right: true}, {Name: "unit"}, {Name: "limit", Right: true}, {Name: "share", Right: true}}}
	for _, v := range r.Rates {
		row := []string{v.What, fmt.Sprintf("%.4g", v.Value), v.Unit, "", ""}
		if v.Limit > 0 {
			row[3], row[4] = fmt.Sprintf("%.4g", v.Limit), fmt.Sprintf("%.0f %%", 100*v.Share())
		}
		t.Rows = append(t.Rows, row)
	}
	switch {
	case r.Simulated:
		t.Notes = append(t.Notes, noMeasure)
	case !r.limited():
		t.Notes = append(t.Notes, "The limits of this card are not known.")
	}
	return t
}

// limited tells whether every limit is known.
func (r Rates) limited() bool {
	return !slices.ContainsFunc(r.Rates, func(v Rate) bool { return v.Limit == 0 })
}

// String is a table of the rates, the card's limits and the shares of them that were reached.
func (r Rates) String() string { return r.table().Text() }

// Show is the table, and on a page the chart below it.
func (r Rates) Show() (text, html string) {
	text, html = r.table().Text(), r.table().HTML()
	if len(r.Rates) > 0 {
		_, picture := r.Chart().Show()
		html += picture
	}
	return text, html
}

// Chart shows the five shares of the card's limit of each rate; the rates themselves, over their medians, where the limits are
// not known, as on a simulated card.
func (r Rates) Chart() *chart.Chart {
	title, axis := "Shares of the limits of "+r.Device+", in %", "% of the limit"
	limited := r.limited()
	if !limited {
		title, axis = "Rates of "+r.Device+", in % of their medians", "% of the median"
	}
	var samples []chart.Sample
	for _, v := range r.Rates {
		of := v.Limit
		if !limited {
			sorted := slices.Sorted(slices.Values(v.All))
			of = sorted[len(sorted)/2]
		}
		s := chart.Sample{Name: v.What}
		for _, x := range v.All {
			s.Values = append(s.Values, 100*x/of)
		}
		samples = append(samples, s)
	}
	c := chart.Boxes(title, "what", axis, samples...)
	if r.Simulated {
		c.Notes = append(c.Notes, noMeasure)
	}
	return c
}

// Bench measures the device: a copy in its memory, products of square matrices in all three forms, causal attention forward
// and backward with heads of 128. A card works on 1 GiB, matrices of 4,096 and as many tokens, and its numbers stand beside what it
// can do at most: the bandwidth of its memory, and the operations of its float32 units, or on "cuda-bf16" those of its tensor
// cores. A simulated card works on very little, and its numbers say how fast the simulator is.
func (d *Device) Bench() Rates {
	floats, side, tokens, heads, size := 1<<28, 4096, 4096, 16, 128
	out := Rates{Device: d.String()}
	var limits cuda.Limits
	card, real := d.b.Card()
	if limits = card.Limits(); !real {
		out.Simulated = true
		floats, side, tokens, heads, size = 1<<12, 32, 32, 1, 32
	}
	operations := limits.F32
	if d.b.Name() == "cuda-bf16" {
		operations = limits.BF16
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
	// rate adds what f does, work of it, in units of so much.
	rate := func(what string, work float64, unit string, units, limit float64, f func()) {
		r := Rate{What: what, Unit: unit, Limit: limit / units}
		f() // warms up
		for range 5 {
			start := time.Now()
			f()
			r.All = append(r.All, work/time.Since(start).Seconds()/units)
		}
		r.Value = slices.Max(r.All)
		out.Rates = append(out.Rates, r)
	}
	rate("copy", 8*float64(floats), "GB/s", 1e9, limits.Bytes, func() { d.Call("Copy", y, x) })
	for _, form := range []string{"NT", "NN", "TN"} {
		rate(fmt.Sprintf("product %s of %d", form, side), 2*math.Pow(float64(side), 3), "TFLOP/s", 1e12, operations, func() { d.Call("MatMul", y, x, x, side, side, side, form, 1, 0) })
	}
	segs := Segments(tokens)
	defer segs.Release()
	scale := 1 / math.Sqrt(float64(size))
	work := 2 * float64(tokens) * float64(tokens) * float64(heads*size) // two products over the lower half
	rate(fmt.Sprintf("attention of %d tokens", tokens), work, "TFLOP/s", 1e12, operations, func() { d.Call("AttentionForward", y, lse, x, x, x, segs, heads, heads, size, scale) })
	rate("its backward pass", 2.5*work, "TFLOP/s", 1e12, operations, func() {
		d.Call("AttentionBackward", dQ, dK, dV, x, x, x, x, y, lse, segs, heads, heads, size, scale)
	})
	return out
}
