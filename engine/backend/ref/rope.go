package ref

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

// RoPE writes x turned by the angle pos[t]·freqs[i] for pair i of every head, or turned back. The angle is a float32
// product, which is what the models were trained with; its sine and cosine are not rounded.
func (*Backend) RoPE(y, x, pos, freqs backend.Buffer, t, heads, d int, pairing backend.Pairing, inverse bool) {
	if d%2 != 0 {
		panic(fmt.Sprintf("RoPE: head size %d; wanted an even one", d))
	}
	ys, xs := floats("RoPE", "y", y, t*heads*d), floats("RoPE", "x", x, t*heads*d)
	ps, fs := ints("RoPE", "pos", pos, t), floats("RoPE", "freqs", freqs, d/2)
	for i := range t {
		for h := range heads {
			at := (i*heads + h) * d
			for p := range d / 2 {
				a, b := at+p, at+p+d/2
				if pairing == backend.Interleaved {
					a, b = at+2*p, at+2*p+1
				}
				sin, cos := math.Sincos(float64(float32(ps[i]) * fs[p]))
				if inverse {
					sin = -sin
				}
				u, v := float64(xs[a]), float64(xs[b])
				ys[a], ys[b] = float32(u*cos-v*sin), float32(u*sin+v*cos)
			}
		}
	}
}
