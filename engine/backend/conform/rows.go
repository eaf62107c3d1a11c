package conform

import (
	"fmt"

	"tunebook/engine/backend"
)

var rowChecks = []Check{
	{"EmbeddingForward/values", each(embeddingForward)},
	{"EmbeddingBackward/values", each(embeddingBackward)},
	{"Gather/values", each(gather)},
	{"Scatter/values", each(scatter)},
}

// each verifies a call for every number of rows and every row length.
func each(make func(r random, t, c int) *call) func(T, backend.Backend) {
	return func(t T, b backend.Backend) {
		r := newRandom("rows")
		for _, rows := range []int{0, 1, 7, 40} {
			for _, c := range []int{1, 31, 33, 576, 577} {
				make(r, rows, c).verify(t, b)
			}
		}
	}
}

// ids returns t rows of a table of v, with repeats and both ends.
func (r random) ids(t, v int) []int32 {
	x := r.ints(t, v)
	for i := range x {
		switch i {
		case 1:
			x[i] = x[0]
		case 2:
			x[i] = int32(v - 1)
		case 3:
			x[i] = 0
		}
	}
	return x
}

func embeddingForward(r random, t, c int) *call {
	const v = 13
	return &call{op: "EmbeddingForward", what: fmt.Sprintf("T %d, C %d, V %d", t, c, v),
		x: []operand{output("y", t*c), table(input("w", r.floats(v*c, 1))), indices("ids", r.ids(t, v))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.EmbeddingForward(x["y"], x["w"], x["ids"], t, c)
		}}
}

func embeddingBackward(r random, t, c int) *call {
	const v = 13
	return &call{op: "EmbeddingBackward", what: fmt.Sprintf("T %d, C %d, V %d", t, c, v),
		x: []operand{table(adds("dW", r.floats(v*c, 1))), input("dY", r.floats(t*c, 1)), indices("ids", r.ids(t, v))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.EmbeddingBackward(x["dW"], x["dY"], x["ids"], t, c)
		}}
}

func gather(r random, n, c int) *call {
	const rows = 50
	return &call{op: "Gather", what: fmt.Sprintf("n %d, C %d", n, c),
		x: []operand{output("y", n*c), table(input("x", r.floats(rows*c, 1))), indices("rows", r.ids(n, rows))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.Gather(x["y"], x["x"], x["rows"], n, c)
		}}
}

func scatter(r random, n, c int) *call {
	const rows = 50
	return &call{op: "Scatter", what: fmt.Sprintf("n %d, C %d", n, c),
		x: []operand{table(output("y", rows*c)), input("x", r.floats(n*c, 1)), indices("rows", r.distinct(n, rows))},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.Scatter(x["y"], x["x"], x["rows"], n, c)
		}}
}
