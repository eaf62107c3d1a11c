package conform

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tunebook/engine/backend"
)

var sampleChecks = []Check{
	{"Sample/values", func(t T, b backend.Backend) { samples(t, b, []int{1, 2, 33, 577}, 17) }},
	{"Sample/a large vocabulary", func(t T, b backend.Backend) { samples(t, b, []int{5003}, 4) }},
	{"Sample/no rows", func(t T, b backend.Backend) { sampleCall(newRandom("Sample"), 0, 5, 0).verify(t, b) }},
	{"CrossEntropy/values", func(t T, b backend.Backend) {
		r := newRandom("CrossEntropy")
		for _, v := range []int{1, 2, 33, 577, 5003} {
			entropyCall(r, 3, v, 1).verify(t, b)
			entropyCall(r, 5, v, 30).verify(t, b)
		}
		entropyCall(r, 0, 5, 1).verify(t, b)
	}},
}

// samples draws from rows of every length, of every kind, in every way.
func samples(t T, b backend.Backend, lengths []int, rows int) {
	r := newRandom("Sample")
	for _, v := range lengths {
		for first := 0; first < len(draws)*4; first += rows {
			sampleCall(r, rows, v, first).verify(t, b)
		}
	}
}

// draws are ways to draw; U is the call's.
var draws = []backend.Draw{
	{}, {Temperature: 1}, {Temperature: 0.3}, {Temperature: 4}, {Temperature: 1, TopK: 1}, {Temperature: 2, TopK: 7}, {Temperature: 1, TopK: 1000},
	{Temperature: 1, TopP: 0.6}, {Temperature: 1.5, TopP: 0.95}, {Temperature: 1, TopP: 1}, {Temperature: 1, MinP: 0.3}, {Temperature: 3, MinP: 0.02},
	{Temperature: 3, TopK: 20, TopP: 0.5}, {Temperature: 2, TopP: 0.9, MinP: 0.25}, {Temperature: 3, TopK: 9, TopP: 0.99, MinP: 0.01}, {Temperature: 1e-9}, {Temperature: 1e9, TopK: 3},
}

// sampleCall draws from t rows of v scores, each in its own way beginning with draws[first].
func sampleCall(r random, t, v, first int) *call {
	x := r.floats(t*v, 2)
	list := make([]backend.Draw, t)
	for i := range t {
		row := x[i*v : (i+1)*v]
		way := first + i
		list[i] = draws[way%len(draws)]
		switch (way / len(draws)) % 4 {
		case 1: // equals, of which the first count; every other time zeros of both signs are the largest
			for j := range row {
				row[j] = float32(math.Round(float64(row[j])))
				if way%2 == 0 && row[j] > 0 {
					row[j] = float32(math.Copysign(0, float64(j%2)-0.5))
				}
			}
		case 2: // most are impossible, nothing lies above zero
			for j := range row {
				row[j] = -1 - float32(math.Abs(float64(row[j])))
				if j%3 > 0 && j != v-1 {
					row[j] = float32(math.Inf(-1))
				}
			}
		case 3: // one that may not be, or nothing that may; zeros of both signs
			row[r.Intn(v)] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Copysign(0, -1)), 0}[way%4]
			if way%5 == 0 {
				for j := range row {
					row[j] = float32(math.Inf(-1))
				}
			}
		}
		list[i] = r.clear(row, list[i])
	}
	return &call{op: "Sample", what: fmt.Sprintf("T %d, V %d, from way %d", t, v, first), x: []operand{outputInts("ids", t), input("x", x)},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.Sample(x["ids"], x["x"], list, v) }}
}

// clear returns d with a random number, and with cuts, that lie apart from every border at which rounding decides: sums of weights
// are exact to some 1e-6 of the whole on a device that has float32.
func (r random) clear(row []float32, d backend.Draw) backend.Draw {
	const apart = 2e-5
	if d.Temperature == 0 || slices.ContainsFunc(row, func(z float32) bool { return z != z || math.IsInf(float64(z), 1) }) {
		return d
	}
	sorted := slices.Clone(row)
	slices.SortFunc(sorted, func(a, b float32) int { return cmp.Compare(b, a) })
	order := sorted // that of the running sum
	if !d.Cuts() {
		order = row
	}
	weights := func(row []float32) (w []float64) {
		for _, z := range row {
			w = append(w, math.Exp((float64(z)-float64(sorted[0]))/d.Temperature))
		}
		return w
	}
	sum := func(w []float64) (s float64) {
		for _, v := range w {
			s += v
		}
		return s
	}
	// near tells whether a running sum comes near to share of the whole.
	near := func(w []float64, share float64) bool {
		all, have := sum(w), 0.0
		for _, v := range w {
			if have += v; math.Abs(have/all-share) < apart {
				return true
			}
		}
		return share < apart || share > 1-apart
	}
	w := weights(order)
	if d.TopK > 0 {
		w = w[:min(d.TopK, len(w))]
	}
	if d.TopP > 0 && d.TopP < 1 {
		for near(w, d.TopP) {
			d.TopP *= 0.98
		}
		all, have := sum(w), 0.0
		for i, v := range w {
			if have += v; have >= d.TopP*all {
				w = w[:i+1]
				break
			}
		}
	}
	if d.MinP > 0 {
		for slices.ContainsFunc(w, func(v float64) bool { return math.Abs(v/d.MinP-1) < apart }) {
			d.MinP *= 0.98
		}
		w = slices.DeleteFunc(w, func(v float64) bool { return v < d.MinP })
	}
	for d.U = r.Float64(); sorted[0] > float32(math.Inf(-1)) && near(w, d.U); d.U = r.Float64() {
	}
	return d
}

// entropyCall asks for the log-probability of one of v scores for each of t rows.
func entropyCall(r random, t, v int, spread float64) *call {
	return &call{op: "CrossEntropy", what: fmt.Sprintf("T %d, V %d, scores of %v", t, v, spread),
		x:  []operand{output("nll", t), input("x", r.floats(t*v, spread)), indices("ids", r.ids(t, v))},
		do: func(b backend.Backend, x map[string]backend.Buffer) { b.CrossEntropy(x["nll"], x["x"], x["ids"], t, v) }}
}
