package tensor

import (
	"hash/fnv"
	"math"
	"math/bits"
)

// RNG is a counter-based random stream: its n-th number is a pure function of (seed, stream name, n), so a stream can
// be continued from one integer and streams of different names do not disturb one another.
//
// The generator is Philox 2x64 with 10 rounds (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as
// 1, 2, 3"). The key is the seed, mixed with the FNV-1a hash of the name. Seed 0 is a seed like any other.
type RNG struct {
	key     uint64
	counter uint64
	spare   uint64
	has     bool
}

// NewRNG returns the stream that belongs to a seed and a name. One use, one name: "init", "order", "take/alpaca".
func NewRNG(seed int64, stream string) *RNG {
	h := fnv.New64a()
	h.Write([]byte(stream))
	return &RNG{key: mix(uint64(seed)) ^ mix(h.Sum64()+0x9e3779b97f4a7c15)}
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that spreads every bit.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func philox(key, counter uint64) (uint64, uint64) {
	lo, hi := counter, uint64(0)
	for range 10 {
		h, l := bits.Mul64(lo, 0xd2b74407b1ce6e93)
		lo, hi = h^key^hi, l
		key += 0x9e3779b97f4a7c15
	}
	return lo, hi
}

// Uint64 returns the next 64 bits.
func (r *RNG) Uint64() uint64 {
	if r.has {
		r.has = false
		return r.spare
	}
	a, b := philox(r.key, r.counter)
	r.counter++
	r.spare, r.has = b, true
	return a
}

// Intn returns a number in [0, n), every one equally likely. It panics unless n > 0.
func (r *RNG) Intn(n int) int {
	if n <= 0 {
		panic("tensor: Intn needs n > 0")
	}
	// Lemire 2019, "Fast random integer generation in an interval": reject the biased low products.
	u := uint64(n)
	hi, lo := bits.Mul64(r.Uint64(), u)
	if lo < u {
		for t := -u % u; lo < t; {
			hi, lo = bits.Mul64(r.Uint64(), u)
		}
	}
	return int(hi)
}

// Float64 returns a number in [0, 1) with 53 random bits.
func (r *RNG) Float64() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// Norm returns a standard normal number (Box-Muller).
func (r *RNG) Norm() float64 {
	u := 1 - r.Float64() // (0, 1]: its logarithm is finite
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*r.Float64())
}

// Perm returns the numbers 0 … n-1 in random order (Fisher-Yates).
func (r *RNG) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := r.Intn(i + 1)
		p[i] = p[j]
		p[j] = i
	}
	return p
}
