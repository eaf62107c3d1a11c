package weights

import (
	"fmt"
	"math"
	"sync"

	"tunebook/engine/backend"
	"tunebook/engine/internal/parts"
)

// Pack returns the blocks of codes and scales that stand for x, in the form that backend.Dequantize reads; the last block is
// filled up with zeros. Q8_0 and Q4_0 are what ggml makes of the same numbers; Int8 and Int4 pack as these do. A number that is not
// finite, or too large for a scale, is an error that names its place.
func Pack(x []float32, q backend.Quant) (codes []int32, scales []float32, err error) {
	codes, scales = make([]int32, q.Codes(len(x))), make([]float32, q.Scales(len(x)))
	const part = 1 << 16 // elements: whole blocks and words in every form
	var mu sync.Mutex
	first := len(x)
	parts.Each(len(x), part, func(from, to int) {
		if odd := packPart(codes[from/q.PerWord():q.Codes(to)], scales[q.Scales(from):q.Scales(to)], x[from:to], q); odd >= 0 {
			mu.Lock()
			first = min(first, from+odd)
			mu.Unlock()
		}
	})
	switch {
	case first == len(x):
		return codes, scales, nil
	case q == backend.BF16:
		return nil, nil, fmt.Errorf("element %d is %v; wanted finite numbers", first, x[first])
	}
	return nil, nil, fmt.Errorf("element %d is %v; wanted finite numbers up to %g", first, x[first], float64(maxBlock))
}

// packPart is Pack for numbers that begin a block. It returns the place of the first element that cannot be packed, -1 without one.
func packPart(codes []int32, scales, x []float32, q backend.Quant) (odd int) {
	if q == backend.BF16 {
		for i, v := range x {
			c := ToBFloat16(v)
			if c&0x7f80 == 0x7f80 {
				return i
			}
			codes[i/2] |= int32(uint32(c) << (i % 2 * 16))
		}
		return -1
	}
	size, per := q.Block(), q.PerWord()
	last, levels := make([]float32, size), make([]uint8, size)
	for b := range scales {
		block := x[b*size : min((b+1)*size, len(x))]
		if i := oddElement(block); i >= 0 {
			return b*size + i
		}
		if len(block) < size {
			copy(last, block)
			block = last
		}
		switch q.Layout() {
		case backend.Q8_0:
			scales[b] = half[q8(block, levels)]
		case backend.Q4_0:
			scales[b] = half[q4(block, levels)]
		default:
			scales[b] = normalFloat(block, levels)
		}
		for w := range size / per {
			word := uint32(0)
			for i, c := range levels[w*per : (w+1)*per] {
				word |= uint32(c) << (i * 32 / per)
			}
			codes[b*(size/per)+w] = int32(word)
		}
	}
	return -1
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
	top := uint32(0) // magnitudes are in the order of their bits
	for _, v := range x {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	d := math.Float32frombits(top) / 127
	inverse := float32(0)
	if d != 0 {
		inverse = 1 / d
	}
	for i, v := range x {
		r := float64(v * inverse)
		codes[i] = uint8(int8(r + math.Copysign(0.5, r))) // to the nearest, halves away from zero
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
