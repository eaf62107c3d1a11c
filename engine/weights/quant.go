package weights

import (
	"encoding/binary"
	"math"
)

// half is every binary16 as a float32, so that scales cost one load.
var half = func() *[1 << 16]float32 {
	var t [1 << 16]float32
	for i := range t {
		t[i] = Float16(uint16(i))
	}
	return &t
}()

// decode writes the elements of src, whole blocks, to dst.
//
// The blocks of ggml, all little-endian, 32 elements each (element i of the first half of a 4-bit block is the low half
// of byte i, of the second half the high half of byte i-16):
//
//	Q8_0   scale f16, 32 × int8             x = scale·q
//	Q4_0   scale f16, 16 bytes              x = scale·(q-8)
//	Q4_1   scale f16, minimum f16, 16 bytes x = scale·q + minimum
//	Q5_0   scale f16, 4 bytes, 16 bytes     x = scale·(q-16); bit i of the 4 bytes is element i's fifth
//	Q5_1   scale f16, minimum f16, 4, 16    x = scale·q + minimum
//
// The larger blocks are in kquant.go.
func decode(dst []float32, src []byte, d DType) {
	le := binary.LittleEndian
	switch d {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = half[le.Uint16(src[2*i:])]
		}
	case BF16:
		for i := range dst {
			dst[i] = BFloat16(le.Uint16(src[2*i:]))
		}
	case Q8_0:
		for ; len(src) > 0; dst, src = dst[32:], src[34:] {
			scale := half[le.Uint16(src)]
			for i, q := range src[2:34] {
				dst[i] = scale * float32(int8(q))
			}
		}
	case Q4_0:
		for ; len(src) > 0; dst, src = dst[32:], src[18:] {
			scale := half[le.Uint16(src)]
			for i, q := range src[2:18] {
				dst[i] = scale * float32(int(q&15)-8)
				dst[i+16] = scale * float32(int(q>>4)-8)
			}
		}
	case Q4_1:
		for ; len(src) > 0; dst, src = dst[32:], src[20:] {
			scale, least := half[le.Uint16(src)], half[le.Uint16(src[2:])]
			for i, q := range src[4:20] {
				// The conversion keeps the product's rounding: no fused multiply-add on any machine.
				dst[i] = float32(scale*float32(q&15)) + least
				dst[i+16] = float32(scale*float32(q>>4)) + least
			}
		}
	case Q5_0:
		for ; len(src) > 0; dst, src = dst[32:], src[22:] {
			scale, fifth := half[le.Uint16(src)], le.Uint32(src[2:])
			for i, q := range src[6:22] {
				dst[i] = scale * float32(int(uint32(q&15)|fifth>>i&1<<4)-16)
				dst[i+16] = scale * float32(int(uint32(q>>4)|fifth>>(i+16)&1<<4)-16)
			}
		}
	case Q5_1:
		for ; len(src) > 0; dst, src = dst[32:], src[24:] {
			scale, least, fifth := half[le.Uint16(src)], half[le.Uint16(src[2:])], le.Uint32(src[4:])
			for i, q := range src[8:24] {
				dst[i] = float32(scale*float32(uint32(q&15)|fifth>>i&1<<4)) + least
				dst[i+16] = float32(scale*float32(uint32(q>>4)|fifth>>(i+16)&1<<4)) + least
			}
		}
	case Q4_K:
		for ; len(src) > 0; dst, src = dst[256:], src[144:] {
			decodeK(dst[:256], src[:4], src[4:16], nil, src[16:144])
		}
	case Q5_K:
		for ; len(src) > 0; dst, src = dst[256:], src[176:] {
			decodeK(dst[:256], src[:4], src[4:16], src[16:48], src[48:176])
		}
	case Q6_K:
		for ; len(src) > 0; dst, src = dst[256:], src[210:] {
			decodeQ6K(dst[:256], src[:210])
		}
	}
}
