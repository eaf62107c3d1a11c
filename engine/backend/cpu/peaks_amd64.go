package cpu

import "golang.org/x/sys/cpu"

// chains is the number of vectors of one round of a peak loop; see cmd/gen/asm.
const chains = 12

func peaks() []Peak {
	var out []Peak
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA {
		out = append(out, Peak{"float32 AVX2", 2 * chains * 8, peakFloatAVX2})
	}
	if !hasAVX512() {
		return out
	}
	out = append(out, Peak{"float32 AVX-512", 2 * chains * 16, peakFloatAVX512})
	if x.HasAVX512BF16 {
		out = append(out, Peak{"bf16 VDPBF16PS", 2 * chains * 32, peakBF16AVX512})
	}
	if x.HasAVX512VNNI {
		out = append(out, Peak{"int8 VPDPBUSD", 2 * chains * 64, peakInt8AVX512})
	}
	return out
}

func readFast(x []float32) float32 {
	switch {
	case len(x) == 0:
		return 0
	case hasAVX512():
		return readAVX512(&x[0], len(x)/128)
	case cpu.X86.HasAVX2:
		return readAVX2(&x[0], len(x)/64)
	}
	return readSlow(x)
}
