package conform

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

var ropeChecks = []Check{
	{"RoPE/values", func(t T, b backend.Backend) { ropes(t, b, false) }},
	{"RoPE/in place", func(t T, b backend.Backend) { ropes(t, b, true) }},
}

func ropes(t T, b backend.Backend, inPlace bool) {
	r := newRandom("RoPE")
	for _, rows := range []int{0, 1, 7} {
		for _, heads := range []int{1, 3} {
			for _, d := range []int{2, 4, 16, 32, 64} {
				for _, p := range []backend.Pairing{backend.Half, backend.Interleaved} {
					for _, inverse := range []bool{false, true} {
						ropeCall(r, rows, heads, d, p, inverse, inPlace).verify(t, b)
					}
				}
			}
		}
	}
}

func ropeFreqs(d int) []float32 {
	f := make([]float32, d/2)
	for i := range f {
		f[i] = float32(math.Pow(10000, -2*float64(i)/float64(d)))
	}
	return f
}

func ropeCall(r random, t, heads, d int, p backend.Pairing, inverse, inPlace bool) *call {
	n := t * heads * d
	x, y, pos := input("x", r.floats(n, 1)), output("y", n), r.ids(t, 2048)
	if inPlace {
		x.role, y = inout, aliased("y", "x")
	}
	return &call{op: "RoPE", what: fmt.Sprintf("T %d, %d heads of %d, pairing %d, inverse %v", t, heads, d, p, inverse),
		x: []operand{x, y, indices("pos", pos), input("freqs", ropeFreqs(d))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.RoPE(x["y"], x["x"], x["pos"], x["freqs"], t, heads, d, p, inverse)
		}}
}
