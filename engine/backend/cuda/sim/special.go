package sim

import "math"

// blur errs by up to bound, relative, in a way that depends on the operand's bits alone.
func blur(v float64, key uint32, bound float64) float64 {
	key = (key ^ key>>16) * 0x45d9f3b
	key = (key ^ key>>16) * 0x45d9f3b
	key ^= key >> 16
	return v * (1 + bound*(float64(int32(key))/(1<<31)))
}

// special builds the functions. The bounds are those of the PTX ISA (9.7.3); exact results stay exact.
func (b *builder) special(name string) {
	exact := b.take("rn")
	approx := b.take("approx")
	flush := b.take("ftz")
	t := b.typ()
	b.end()
	b.want(2)
	if t.name == "f64" && exact && (name == "rcp" || name == "sqrt") {
		d, x := b.dst64(b.o[0]), b.src64(b.o[1], t)
		b.in.run = map64(d, x, func(x uint64) uint64 {
			if name == "rcp" {
				return math.Float64bits(1 / math.Float64frombits(x))
			}
			return math.Float64bits(math.Sqrt(math.Float64frombits(x)))
		})
		return
	}
	if t.name != "f32" || exact == approx || exact && name != "rcp" && name != "sqrt" {
		b.fail("the instruction is not known")
	}
	d, x := b.dst32(b.o[0]), b.src32(b.o[1], t)
	var f func(v float64, key uint32) float64
	switch name {
	case "ex2":
		f = func(v float64, key uint32) float64 { return blur(math.Exp2(v), key, 0x1p-22) }
	case "lg2":
		f = func(v float64, key uint32) float64 {
			y := math.Log2(v)
			if v > 0.5 && v < 2 {
				return y + (blur(1, key, 0x1p-22) - 1)
			}
			return blur(y, key, 0x1p-22)
		}
	case "rsqrt":
		f = func(v float64, key uint32) float64 { return blur(1/math.Sqrt(v), key, 0x1p-22) }
	case "rcp":
		f = func(v float64, key uint32) float64 { return blur(1/v, key, 0x1p-23) }
	case "sqrt":
		f = func(v float64, key uint32) float64 { return blur(math.Sqrt(v), key, 0x1p-23) }
	case "sin":
		f = func(v float64, key uint32) float64 { return math.Sin(v) + (blur(1, key, 0x1p-20) - 1) }
	case "cos":
		f = func(v float64, key uint32) float64 { return math.Cos(v) + (blur(1, key, 0x1p-20) - 1) }
	case "tanh":
		f = func(v float64, key uint32) float64 { return blur(math.Tanh(v), key, 0x1p-11) }
	}
	if exact {
		f = func(v float64, _ uint32) float64 {
			if name == "rcp" {
				return 1 / v
			}
			return math.Sqrt(v)
		}
	}
	b.in.run = map32(d, x, func(x uint32) uint32 {
		if flush {
			x = flushed(x)
		}
		v := float64(float32of(x))
		if name == "ex2" && v == 0 {
			return bits32(1)
		}
		r := bits32(float32(f(v, x)))
		if flush {
			r = flushed(r)
		}
		return r
	})
}
