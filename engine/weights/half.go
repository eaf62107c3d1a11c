package weights

import "math"

// Float16 returns the float32 that has the value of a binary16.
func Float16(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&0x3ff)
	switch {
	case exp == 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case exp == 0: // zero or subnormal: frac · 2^-24, exact in float32
		v := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// ToFloat16 returns the binary16 nearest to v, ties to even; beyond 65504 an infinity. NaN stays NaN.
func ToFloat16(v float32) uint16 {
	u := math.Float32bits(v)
	sign, u := uint16(u>>16)&0x8000, u&0x7fffffff
	switch {
	case u > 0xff<<23:
		return sign | 0x7e00 | uint16(u>>13&0x3ff)
	case u >= 143<<23: // 2^16 and more
		return sign | 0x7c00
	case u < 113<<23: // below 2^-14: a subnormal, in units of 2^-24; the addition rounds to even
		return sign | uint16(math.Float32bits(math.Float32frombits(u)+0.5)-math.Float32bits(0.5))
	}
	u += 0xfff + u>>13&1
	return sign | uint16(u>>13-112<<10) // a carry out of the fraction raises the exponent, up to infinity
}

// BFloat16 returns the float32 that has the value of a bfloat16.
func BFloat16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBFloat16 returns the bfloat16 nearest to v, ties to even. NaN stays NaN.
func ToBFloat16(v float32) uint16 {
	u := math.Float32bits(v)
	if u&0x7fffffff > 0xff<<23 {
		return uint16(u>>16) | 0x40
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}
