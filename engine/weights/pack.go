package weights

import (
	"fmt"
	"math"
	"slices"
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
	if first < len(x) {
		return nil, nil, unpackable(first, x[first], q)
	}
	return codes, scales, nil
}

// unpackable says why element i, of value v, is in no block of a form.
func unpackable(i int, v float32, q backend.Quant) error {
	if q == backend.BF16 {
		return fmt.Errorf("element %d is %v; wanted finite numbers", i, v)
	}
	return fmt.Errorf("element %d is %v; wanted finite numbers up to %g", i, v, float64(maxBlock))
}

// packPart is Pack for numbers that begin a block. It returns the place of the first element that cannot be packed, -1 without one.
func packPart(codes []int32, scales, x []float32, q backend.Quant) (odd int) {
	if q == backend.BF16 {
		for w := range codes {
			word := uint32(0)
			for i, v := range x[2*w : min(2*w+2, len(x))] {
				c := ToBFloat16(v)
				if c&0x7f80 == 0x7f80 {
					return 2*w + i
				}
				word |= uint32(c) << (i * 16)
			}
			codes[w] = int32(word)
		}
		return -1
	}
	var last [64]float32 // a block that is filled up
	var levels [64]uint8
	size := q.Block()
	words := size / q.PerWord()
	for b := range scales {
		block := x[b*size : min((b+1)*size, len(x))]
		top := magnitude(block)
		if !(math.Float32frombits(top) <= maxBlock) {
			return b*size + oddElement(block)
		}
		if len(block) < size {
			clear(last[copy(last[:], block):])
			block = last[:size]
		}
		to := codes[b*words:][:words]
		switch q.Layout() {
		case backend.Q8_0:
			scales[b] = half[q8(to, block, math.Float32frombits(top))]
			continue
		case backend.Q4_0:
			scales[b] = half[q4(block, levels[:])]
		default:
			scales[b] = math.Float32frombits(top)
			normalFloat(block, scales[b], levels[:])
		}
		for w := range to {
			l := levels[8*w:][:8]
			to[w] = int32(uint32(l[0]|l[1]<<4) | uint32(l[2]|l[3]<<4)<<8 | uint32(l[4]|l[5]<<4)<<16 | uint32(l[6]|l[7]<<4)<<24)
		}
	}
	return -1
}

// maxBlock is the largest magnitude of an element: with it the scale of a block is a finite binary16.
const maxBlock = 65504 * 7

// oddElement returns the place of an element that no block can hold, -1 where there is none.
func oddElement(x []float32) int {
	return slices.IndexFunc(x, func(v float32) bool { return !(v <= maxBlock && v >= -maxBlock) })
}

// magnitude returns the bits of the largest magnitude: those of magnitudes are in their order, and NaN's above them all.
func magnitude(x []float32) (top uint32) {
	for _, v := range x {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	return top
}

// q8 writes the words of a block of Q8_0, of which top is the largest magnitude, and returns its scale: top over 127.
func q8(words []int32, x []float32, top float32) (scale uint16) {
	d := top / 127
	inverse := float32(0)
	if d != 0 {
		inverse = 1 / d
	}
	for w := range words {
		v := x[4*w:][:4]
		words[w] = int32(round8(v[0]*inverse)&255 | round8(v[1]*inverse)&255<<8 | round8(v[2]*inverse)&255<<16 | round8(v[3]*inverse)<<24)
	}
	return ToFloat16(d)
}

// round8 returns the whole number nearest to r, halves away from zero. What is added is the number before 0.5: the sum of 0.5 and
// the number before it is 1 in float32.
func round8(r float32) int32 {
	return int32(r + math.Float32frombits(math.Float32bits(r)&(1<<31)|0x3effffff))
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

// normalFloat writes the nearest levels of a block of NF4, of which scale is the largest magnitude.
func normalFloat(x []float32, scale float32, codes []uint8) {
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
}
