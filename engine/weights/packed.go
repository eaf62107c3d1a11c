package weights

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"tunebook/engine/backend"
)

// Packed reads a tensor in a form of quantisation: the codes and scales that Pack returns for its numbers, which are never there
// all at once. Where the file's blocks are the form's own (Q8_0, Q4_0 or BF16 for one of that Layout) their codes and scales are taken
// as they lie. They stand for the file's numbers exactly, and are what Pack returns for blocks that ggml has made; numbers of
// other blocks, whose largest code is not the last, Pack would round once more.
//
// Errors: those of Tensor, and an element that Pack refuses.
func (f *File) Packed(name string, q backend.Quant) (codes []int32, scales []float32, err error) {
	info, n, err := f.readable(name)
	if err != nil {
		return nil, nil, err
	}
	codes, scales = make([]int32, q.Codes(n)), make([]float32, q.Scales(n))
	d := dtypes[info.DType]
	const part = 1 << 12 // elements that are numbers at a time: whole blocks of every file and form
	err = f.pieces(info, max(part, 1<<20/d.bytes/part*part), nil, func(first int, src []byte) error {
		var x []float32
		for at := first * d.block; len(src) > 0; at += part {
			here := min(len(src), part/d.block*d.bytes)
			blocks := src[:here]
			src = src[here:]
			n := here / d.bytes * d.block
			c, s := codes[at/q.PerWord():q.Codes(at+n)], scales[q.Scales(at):q.Scales(at+n)]
			if takeBlocks(c, s, blocks, info.DType, q) {
				continue
			}
			if info.DType == F32 && littleEndian {
				x = unsafe.Slice((*float32)(unsafe.Pointer(&blocks[0])), n)
			} else {
				if x == nil {
					x = make([]float32, part)
				}
				decode(x[:n], blocks, info.DType)
			}
			if i := packPart(c, s, x[:n], q); i >= 0 {
				return unpackable(at+i, x[i], q)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("weights: %s: tensor %q: %w", f.place, info.Stored, err)
	}
	return codes, scales, nil
}

// takeBlocks takes codes and scales from the blocks of a file as they lie. It returns false where those are not the form's, or hold
// what Pack makes of no numbers: a scale that is not finite or, of Q8_0, below 0, the code -128, a number of BF16 that is not
// finite.
func takeBlocks(codes []int32, scales []float32, src []byte, d DType, q backend.Quant) bool {
	le := binary.LittleEndian
	odd := uint32(0)
	switch {
	case d == Q8_0 && q.Layout() == backend.Q8_0:
		for b := range scales {
			block, to := src[34*b:][:34], codes[8*b:][:8]
			h := le.Uint16(block)
			if h >= 0x7c00 {
				return false
			}
			scales[b] = half[h]
			for w := range to {
				word := le.Uint32(block[2+4*w:])
				y := word ^ 0x80808080 // has a byte 0 for a code -128
				odd |= (y - 0x01010101) &^ y & 0x80808080
				to[w] = int32(word)
			}
		}
	case d == Q4_0 && q.Layout() == backend.Q4_0:
		for b := range scales {
			block, to := src[18*b:][:18], codes[4*b:][:4]
			h := le.Uint16(block)
			if h&0x7c00 == 0x7c00 {
				return false
			}
			scales[b] = half[h]
			// The low halves of the bytes are elements 0 to 15, the high ones 16 to 31; a word has 8 in their order.
			for w := range 2 {
				bytes := le.Uint64(block[2+8*w:])
				to[w] = int32(nibbles(bytes & 0x0f0f0f0f0f0f0f0f))
				to[w+2] = int32(nibbles(bytes >> 4 & 0x0f0f0f0f0f0f0f0f))
			}
		}
	case d == BF16 && q == backend.BF16:
		last := [8]byte{} // filled up
		for w := 0; w < len(codes); w += 2 {
			four := src[4*w:]
			if len(four) < 8 {
				copy(last[:], four)
				four = last[:]
			}
			bits := le.Uint64(four)
			y := bits&0x7f807f807f807f80 ^ 0x7f807f807f807f80 // has 16 bits of 0 for a number that is not finite
			if (y-0x0001000100010001)&^y&0x8000800080008000 != 0 {
				return false
			}
			codes[w] = int32(bits)
			if w+1 < len(codes) {
				codes[w+1] = int32(bits >> 32)
			}
		}
	default:
		return false
	}
	return odd == 0
}

// nibbles puts the eight bytes of x, each below 16, side by side: byte i is bits 4i to 4i+3.
func nibbles(x uint64) uint32 {
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return uint32(x | x>>16)
}
