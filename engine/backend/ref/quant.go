package ref

import "tunebook/engine/backend"

// Dequantize writes y[i] = scale of its block · level of its code.
func (*Backend) Dequantize(y, codes, scales backend.Buffer, n int, q backend.Quant) {
	const op = "Dequantize"
	ys, cs, ss := floats(op, "y", y, n), ints(op, "codes", codes, q.Codes(n)), floats(op, "scales", scales, q.Scales(n))
	for i := range ys {
		word := uint32(cs[i/q.PerWord()]) >> (i % q.PerWord() * (32 / q.PerWord()))
		level := float32(int8(word))
		if q != backend.Q8_0 {
			level = q.Levels()[word&15]
		}
		ys[i] = ss[i/q.Block()] * level
	}
}
