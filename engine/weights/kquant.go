package weights

import "encoding/binary"

// The "K" blocks of ggml hold 256 elements in groups whose scales are themselves quantised.

// decodeK writes a Q4_K block, or with fifth a Q5_K block. Group g has 32 elements:
//
//	x = scale·s[g]·q - minimum·m[g]
//
// ends holds scale and minimum as f16; packed holds s and m, 8 × 6 bits each (sixBits); fifth has in bit g of byte i the
// fifth bit of element i of group g; nibbles has groups 2c and 2c+1 in the low and high halves of bytes 32c to 32c+31.
func decodeK(dst []float32, ends, packed, fifth, nibbles []byte) {
	scale, least := half[binary.LittleEndian.Uint16(ends)], half[binary.LittleEndian.Uint16(ends[2:])]
	for g := range 8 {
		s, m := sixBits(packed, g)
		d, sub := float32(scale*float32(s)), float32(least*float32(m))
		q := nibbles[g/2*32 : g/2*32+32]
		out := dst[g*32 : g*32+32]
		for i, b := range q {
			v := b >> (g % 2 * 4) & 15
			if fifth != nil {
				v |= fifth[i] >> g & 1 << 4
			}
			// The conversion keeps the product's rounding: no fused multiply-add on any machine.
			out[i] = float32(d*float32(v)) - sub
		}
	}
}

// sixBits returns group g's multiples of the scale and of the minimum from 12 bytes: bytes 0 to 3 and 4 to 7 hold those of
// groups 0 to 3 in six bits, and in the two bits above them the upper ones of groups 4 to 7, whose lower four are the halves
// of bytes 8 to 11.
func sixBits(p []byte, g int) (scale, least byte) {
	if g < 4 {
		return p[g] & 63, p[g+4] & 63
	}
	return p[g+4]&15 | p[g-4]>>6<<4, p[g+4]>>4 | p[g]>>6<<4
}

// decodeQ6K writes a Q6_K block: 128 bytes of lower halves, 64 of upper quarters, 16 × int8 multiples, the scale as f16.
// Each 128 elements share 64 and 32 of those bytes; of four runs of 32 elements, run r has its lower four bits in half r/2 of
// bytes 32·(r%2) on and its upper two in quarter r.
//
//	x = scale·s[g]·(q-32), groups of 16 elements
func decodeQ6K(dst []float32, src []byte) {
	low, high, multiples := src[:128], src[128:192], src[192:208]
	scale := half[binary.LittleEndian.Uint16(src[208:])]
	for h := range 2 {
		for r := range 4 {
			for i := range 32 {
				at := h*128 + r*32 + i
				q := low[h*64+r%2*32+i]>>(r/2*4)&15 | high[h*32+i]>>(2*r)&3<<4
				dst[at] = float32(scale*float32(int8(multiples[at/16]))) * float32(int(q)-32)
			}
		}
	}
}
