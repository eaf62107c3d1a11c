package cpu

// Peak is a loop that does nothing but one kind of arithmetic in registers: what a core can do at most.
type Peak struct {
	Name string  // "float32 AVX-512"
	Work float64 // operations of one round of Loop, a multiply-add counting as two
	Loop func(n int)
}

// Peaks returns the loops that this processor runs. On processors without assembly of ours there are none.
func Peaks() []Peak { return peaks() }

// Read returns a sum of x, whose length is a multiple of 128, read as fast as one thread can.
func Read(x []float32) float32 { return readFast(x) }

// readSlow is Read without assembly.
func readSlow(x []float32) float32 {
	var s [8]float32
	for ; len(x) >= 8; x = x[8:] {
		for i := range s {
			s[i] += x[i]
		}
	}
	for _, v := range x {
		s[0] += v
	}
	return s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7]
}
