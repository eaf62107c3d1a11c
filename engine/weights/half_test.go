package weights

import (
	"math"
	"testing"
)

// Every binary16 and bfloat16 survives the way through float32, and every float32 goes to the nearest of its neighbours.
func TestHalfRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		if v := Float16(h); v == v && ToFloat16(v) != h {
			t.Fatalf("binary16 %#04x is %v, which goes back to %#04x", h, v, ToFloat16(v))
		} else if v != v && ToFloat16(v)&0x7c00 != 0x7c00 {
			t.Fatalf("binary16 NaN %#04x becomes %#04x", h, ToFloat16(v))
		}
		if v := BFloat16(h); v == v && ToBFloat16(v) != h {
			t.Fatalf("bfloat16 %#04x is %v, which goes back to %#04x", h, v, ToBFloat16(v))
		} else if back := BFloat16(ToBFloat16(v)); v != v && back == back {
			t.Fatalf("bfloat16 NaN %#04x becomes %#04x", h, ToBFloat16(v))
		}
	}
}

// Halfway points between neighbours go to the even one, anything beyond to the nearer one.
func TestHalfRounding(t *testing.T) {
	for name, c := range map[string]struct {
		to   func(float32) uint16
		from func(uint16) float32
		top  uint16 // the largest finite one
	}{"F16": {ToFloat16, Float16, 0x7bff}, "BF16": {ToBFloat16, BFloat16, 0x7f7f}} {
		for h := uint16(0); h < c.top; h++ {
			lo, hi := c.from(h), c.from(h+1)
			mid := float32(float64(lo)/2 + float64(hi)/2)
			even := h + h&1
			for _, sign := range []float32{1, -1} {
				bit := uint16(0)
				if sign < 0 {
					bit = 0x8000
				}
				if got := c.to(sign * mid); got != even|bit {
					t.Fatalf("%s: %v between %v and %v becomes %#04x; wanted %#04x", name, sign*mid, lo, hi, got, even|bit)
				}
				if got := c.to(sign * math.Nextafter32(mid, hi)); got != (h+1)|bit {
					t.Fatalf("%s: just above %v becomes %#04x; wanted %#04x", name, sign*mid, got, (h+1)|bit)
				}
				if got := c.to(sign * math.Nextafter32(mid, lo)); got != h|bit {
					t.Fatalf("%s: just below %v becomes %#04x; wanted %#04x", name, sign*mid, got, h|bit)
				}
			}
		}
	}
	if ToFloat16(65519) != 0x7bff || ToFloat16(65520) != 0x7c00 || ToFloat16(float32(math.Inf(-1))) != 0xfc00 || ToFloat16(3e38) != 0x7c00 {
		t.Error("the upper end of binary16 is wrong")
	}
}
