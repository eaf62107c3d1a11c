package weights

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
)

// Pack returns the blocks of codes and scales that stand for x, in the form that backend.Dequantize reads; the last block is
// filled up with zeros. Q8_0 and Q4_0 are what ggml makes of the same numbers; Int8 packs as Q8_0 does. A number that is not
// finite, or too large for a scale, is an error that names its place.
func Pack(x []float32, q backend.Quant) (codes []int32, scales []float32, err error) {
	codes, scales = make([]int32, q.Codes(len(x))), make([]float32, q.Scales(len(x)))
	if q == backend.BF16 {
		for i, v := range x {
			c := ToBFloat16(v)
			if c&0x7f80 == 0x7f80 {
				return nil, nil, fmt.Errorf("element %d is %v; wanted finite numbers", i, v)
			}
			codes[i/2] |= int32(uint32(c) << (i % 2 * 16))
		}
		return codes, scales, nil
	}
	block := make([]float32, q.Block())
	levels := make([]uint8, q.Block())
	bits := 32 / q.PerWord()
	for b := range scales {
		at := b * q.Block()
		clear(block[copy(block, x[at:]):])
		if i := oddElement(block); i >= 0 {
			return nil, nil, fmt.Errorf("element %d is %v; wanted finite numbers up to %g", at+i, block[i], float64(maxBlock))
		}
		switch q {
		case backend.Q8_0, backend.Int8:
			scales[b] = half[q8(block, levels)]
		case backend.Q4_0:
			scales[b] = half[q4(block, levels)]
		default:
			scales[b] = normalFloat(block, levels)
		}
		for i, c := range levels {
			codes[(at+i)/q.PerWord()] |= int32(uint32(c) << (i % q.PerWord() * bits))
		}
	}
	return codes, scales, nil
}

// maxBlock is the largest magnitude of an element: with it the scale of a block is a finite binary16.
const maxBlock = 65504 * 7

// oddElement returns the place of an element that no block can hold, -1 where there is none.
func oddElement(x []float32) int {
	for i, v := range x {
		if !(v <= maxBlock && v >= -maxBlock) {
			return i
		}
	}
	return -1
}

// q8 writes the codes of a block of Q8_0, as int8 in bytes, and returns its scale: the largest magnitude over 127.
func q8(x []float32, codes []uint8) (scale uint16) {
	top := float32(0)
	for _, v := range x {
		top = max(top, v, -v)
	}
	d := top / 127
	inverse := float32(0)
	if d != 0 {
		inverse = 1 / d
	}
	for i, v := range x {
		codes[i] = uint8(int8(math.Round(float64(v * inverse))))
	}
	return ToFloat16(d)
}

// q4 writes the codes of a block of Q4_0 and returns its scale: the element of the largest magnitude, with its sign, over -8.
func q4(x []float32, codes []uint8) (scale uint16) {
	top := float32(0)
	for _, v := range x {
		if max(v, -v) > max(top, -top) {
			top = v
		}
	}
	d := top / -8
	inverse := float32(0)
	if d != 0 {
		inverse = 1 / d
	}
	for i, v := range x {
		codes[i] = min(15, uint8(float32(v*inverse)+8.5))
	}
	return ToFloat16(d)
}

// normalFloat writes the nearest levels of a block of NF4 and returns its scale, the largest magnitude.
func normalFloat(x []float32, codes []uint8) (scale float32) {
	for _, v := range x {
		scale = max(scale, v, -v)
	}
	levels := backend.NF4.Levels()
	for i, v := range x {
		if scale != 0 {
			v /= scale
		}
		best := 0
		for c, l := range levels {
			if math.Abs(float64(v-l)) < math.Abs(float64(v-levels[best])) {
				best = c
			}
		}
		codes[i] = uint8(best)
	}
	return scale
}
