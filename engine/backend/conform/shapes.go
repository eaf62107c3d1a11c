package conform

import "tunebook/engine/backend"

var shapeChecks = []Check{{"Shapes/an operand too short", func(t T, b backend.Backend) {
	for _, c := range sampleCalls() {
		for _, o := range c.x {
			if o.absent || o.loose || o.len() == 0 {
				continue
			}
			if !panics(func() { c.run(&Recorder{}, b, true, o.name) }) {
				t.Errorf("%s %s: %s is one element short and nothing panics", c.op, c.what, o.name)
			}
		}
	}
}}}

// sampleCalls returns one call of every operation, with every operand present.
func sampleCalls() []*call {
	r := newRandom("sample")
	s := layout{"one", []backend.Segment{seg(0, 3, 0, 3)}, 3, 3, 0, false}
	calls := []*call{
		matmulCall(r, 3, 5, 4, backend.NT, 1, 0), embeddingForward(r, 3, 5), embeddingBackward(r, 3, 5), gather(r, 3, 5), scatter(r, 3, 5),
		rmsnormForward(r, 3, 5, "apart"), rmsnormBackward(r, 3, 5, "apart", true),
		layernormForward(r, 3, 5, "apart"), layernormBackward(r, 3, 5, "apart", true), addBias(r, 3, 5), sumRows(r, 3, 5),
		rowNorms(r, 3, 5), scaleForward(r, 3, 5, false), scaleBackward(r, 3, 5, false, true), dequantize(r, 70, backend.NF4),
		matmulPacked(r, 3, 5, 40, backend.NT, backend.Int8, 1, 0), embeddingPacked(r, 3, 5, 13, backend.Q4_0),
		gegluForward(r, 5, "", true), gegluBackward(r, 5, "", true), ropeCall(r, 3, 2, 4, backend.Half, false, false),
		swigluForward(r, 5, ""), swigluBackward(r, 5, ""), attentionForward(r, s, 2, 1, 4, 1, true), attentionBackward(r, s, 2, 1, 4),
		crossEntropy(r, 3, 5, 7, 2, 1, true), copied(r, 5), addScaled(r, 5), adamw(r, 2, update{n: 5, rounded: true}), adamw(r, 2, update{n: 5, form: backend.MomentsBF16}), adamw(r, 2, update{n: 4100, form: backend.Moments8}), sampleCall(r, 3, 5, 0), entropyCall(r, 3, 5, 1), sumSquares(r, 5), fill(r, 5),
	}
	for _, c := range calls {
		switch c.op {
		case "AttentionForward", "AttentionBackward": // here every row is named, so the lengths follow
			for i := range c.x {
				c.x[i].loose = false
			}
		case "Fill":
			c.x[0].loose = true // as long as it is
		}
	}
	return calls
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}
