package sim

import (
	"math"
	"math/bits"
)

// bf16 rounds to the nearest bf16, ties to even. Source: PTX ISA 9.7.9.21: NaN becomes 0x7fff.
func bf16(f float32) uint32 {
	u := bits32(f)
	if u&0x7fffffff > 0x7f800000 {
		return 0x7fff
	}
	return (u + 0x7fff + u>>16&1) >> 16
}

// convert builds cvt.
func (b *builder) convert() {
	round := ""
	for _, r := range []string{"rni", "rzi", "rmi", "rpi", "rn", "rz", "rm", "rp"} {
		if b.take(r) {
			round = r
			break
		}
	}
	flush := b.take("ftz")
	sat := b.take("sat")
	to := b.typ()
	if to.name == "bf16x2" {
		b.end2("f32")
		b.want(3)
		if round != "rn" || sat {
			b.fail("only rounding to nearest is known")
		}
		d, hi, lo := b.dst32(b.o[0]), b.src32(b.o[1], types["f32"]), b.src32(b.o[2], types["f32"])
		b.in.run = zip32(d, hi, lo, func(hi, lo uint32) uint32 { return bf16(float32of(hi))<<16 | bf16(float32of(lo)) })
		return
	}
	from := b.typ()
	b.end()
	b.want(2)
	f := conversion(to, from, round, flush, sat)
	if f == nil {
		b.fail("the conversion is not known")
	}
	var d, s int
	wideTo, wideFrom := b.is64(b.o[0]), b.is64(b.o[1])
	if wideTo {
		d = b.dst64(b.o[0])
	} else {
		d = b.dst32(b.o[0])
	}
	if wideFrom || b.o[1].kind == oImm && from.bits == 64 {
		s, wideFrom = b.src64(b.o[1], from), true
	} else {
		s = b.src32(b.o[1], from)
	}
	simple := !to.float && !from.float && !sat
	if simple && !wideFrom && wideTo && from.bits == 32 {
		b.in.run = func(w *warp, m uint32) {
			D, S := &w.r64[d], &w.r32[s]
			if from.signed {
				for ; m != 0; m &= m - 1 {
					l := bits.TrailingZeros32(m) & 31
					D[l] = uint64(int64(int32(S[l])))
				}
				return
			}
			for ; m != 0; m &= m - 1 {
				l := bits.TrailingZeros32(m) & 31
				D[l] = uint64(S[l])
			}
		}
		return
	}
	b.in.run = func(w *warp, m uint32) {
		for ; m != 0; m &= m - 1 {
			l := bits.TrailingZeros32(m) & 31
			var v uint64
			if wideFrom {
				v = w.r64[s][l]
			} else {
				v = uint64(w.r32[s][l])
			}
			v = f(v)
			if wideTo {
				w.r64[d][l] = v
			} else {
				w.r32[d][l] = uint32(v)
			}
		}
	}
}

// conversion returns how the bits change, nil for what is not known.
func conversion(to, from typ, round string, flush, sat bool) func(uint64) uint64 {
	if sat && !(to.name == "f32" && from.name == "f32") {
		return nil
	}
	number := func(v uint64) float64 {
		switch from.name {
		case "f32":
			x := uint32(v)
			if flush {
				x = flushed(x)
			}
			return float64(float32of(x))
		case "bf16":
			return float64(float32of(uint32(v) << 16))
		case "f16":
			return half(uint32(v))
		case "f64":
			return math.Float64frombits(v)
		}
		v = from.extend(v)
		if from.signed {
			return float64(int64(v))
		}
		return float64(v)
	}
	whole := func(x float64) float64 {
		switch round {
		case "rni":
			return math.RoundToEven(x)
		case "rzi":
			return math.Trunc(x)
		case "rmi":
			return math.Floor(x)
		case "rpi":
			return math.Ceil(x)
		}
		return x
	}
	switch {
	case !to.float && !from.float:
		return func(v uint64) uint64 { return to.extend(from.extend(v)) }
	case !to.float: // beyond the range: the nearest end; NaN: 0
		if round != "rni" && round != "rzi" && round != "rmi" && round != "rpi" {
			return nil
		}
		return func(v uint64) uint64 {
			x := whole(number(v))
			if x != x {
				return 0
			}
			if to.signed {
				top := math.Ldexp(1, to.bits-1)
				switch {
				case x >= top:
					return uint64(1)<<(to.bits-1) - 1
				case x < -top:
					return to.extend(uint64(1) << (to.bits - 1))
				}
				return uint64(int64(x))
			}
			switch {
			case x <= 0:
				return 0
			case x >= math.Ldexp(1, to.bits):
				return to.extend(math.MaxUint64)
			}
			return uint64(x)
		}
	}
	if round != "" && round != "rn" && (round[len(round)-1] != 'i' || !from.float) {
		return nil
	}
	switch to.name {
	case "f32":
		return func(v uint64) uint64 {
			x := whole(number(v))
			if !from.float && from.bits == 64 { // one rounding, from 64 bits to 24
				if from.signed {
					return uint64(bits32(float32(int64(v))))
				}
				return uint64(bits32(float32(v)))
			}
			r := float32(x)
			if sat {
				r = min(max(r, 0), 1)
				if x != x {
					r = 0
				}
			}
			u := bits32(r)
			if flush {
				u = flushed(u)
			}
			return uint64(u)
		}
	case "f64":
		return func(v uint64) uint64 { return math.Float64bits(whole(number(v))) }
	case "bf16":
		if from.name == "f32" {
			return func(v uint64) uint64 { return uint64(bf16(float32of(uint32(v)))) }
		}
	}
	return nil
}

// half reads an IEEE 754 binary16.
func half(u uint32) float64 {
	e, m := int(u>>10&31), float64(u&1023)
	v := 0.0
	switch e {
	case 0:
		v = math.Ldexp(m, -24)
	case 31:
		v = math.Inf(1)
		if m != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+m, e-25)
	}
	if u>>15&1 != 0 {
		return -v
	}
	return v
}
