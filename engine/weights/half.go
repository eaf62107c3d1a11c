package weights

import "math"

// F16 widens an IEEE 754 binary16 number.
func F16(b uint16) float32 {
	sign := uint32(b&0x8000) << 16
	exp, frac := uint32(b>>10&0x1f), uint32(b&0x3ff)
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
	// Zero and subnormals: frac·2⁻²⁴, exact in float32.
	x := float32(frac) * (1.0 / (1 << 24))
	return math.Float32frombits(sign | math.Float32bits(x))
}

// ToF16 rounds to the nearest binary16 number, ties to even. Too large becomes infinite; NaN stays NaN.
func ToF16(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00
	case b >= 0x477ff000: // at or above the middle between 65504 and 65536
		return sign | 0x7c00
	case b < 0x38800000: // below 2⁻¹⁴: a multiple of 2⁻²⁴
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*(1<<24)))
	}
	b += 0xfff + b>>13&1
	return sign | uint16((b-112<<23)>>13)
}

// ToBF16 rounds to the nearest bfloat16 number, ties to even; NaN stays NaN.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
