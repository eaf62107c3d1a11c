package conform

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

var crossEntropyChecks = []Check{
	{"LinearCrossEntropy/values", func(t T, b backend.Backend) { crossEntropies(t, b, 1, 1, true) }},
	{"LinearCrossEntropy/no weights", func(t T, b backend.Backend) { crossEntropies(t, b, 2, 1, false) }},
	{"LinearCrossEntropy/loss alone", func(t T, b backend.Backend) { crossEntropies(t, b, 0, 1, false) }},
	{"LinearCrossEntropy/large logits", func(t T, b backend.Backend) { crossEntropies(t, b, 2, 60, true) }},
}

// crossEntropies: gradients is 0 for the loss alone, 1 for dX, 2 for dX and dW.
func crossEntropies(t T, b backend.Backend, gradients int, spread float64, weights bool) {
	r := newRandom("LinearCrossEntropy")
	for _, rows := range []int{0, 1, 7} {
		for _, c := range []int{1, 31, 33, 576, 577} {
			for _, v := range []int{1, 2, 33, 577} {
				crossEntropy(r, rows, c, v, gradients, spread, weights).verify(t, b)
			}
		}
	}
	crossEntropy(r, 70, 33, 2100, gradients, spread, weights).verify(t, b)
}

func crossEntropy(r random, t, c, v, gradients int, spread float64, weighted bool) *call {
	targets := r.ids(t, v)
	for i := range targets {
		if i%3 == 1 {
			targets[i] = backend.IgnoreIndex
		}
	}
	weights := input("weights", r.floats(t, 1))
	if !weighted {
		weights = absent("weights")
	}
	dX, dW := output("dX", t*c), adds("dW", r.floats(v*c, 1))
	if gradients < 2 {
		dW = absent("dW")
	}
	if gradients < 1 {
		dX = absent("dX")
	}
	return &call{op: "LinearCrossEntropy", what: fmt.Sprintf("T %d, C %d, V %d, logits of %v", t, c, v, spread),
		x: []operand{output("nll", t), dX, dW, input("x", r.floats(t*c, spread/math.Sqrt(float64(c)))),
			input("w", r.floats(v*c, 1)), indices("targets", targets), weights},
		do: func(b backend.Backend, x map[string]backend.Buffer) {
			b.LinearCrossEntropy(x["nll"], x["dX"], x["dW"], x["x"], x["w"], x["targets"], x["weights"], t, c, v, 0.5)
		}}
}
