package main

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
)

type Signed interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64
}
type Float interface{ ~float32 | ~float64 }
type Number interface{ Signed | Float }

func Avg[T Number](xs ...T) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	var s T
	for _, x := range xs {
		s += x
	}
	return float64(s) / float64(len(xs))
}
func MapKV[K comparable, V, R any](m map[K]V, f func(K, V) R) []R {
	var out []R
	for k, v := range m {
		out = append(out, f(k, v))
	}
	return out
}
func Clamp[T cmp.Ordered](x, lo, hi T) T { return max(lo, min(x, hi)) }

type Meters float64

func main() {
	fmt.Println(Avg(1, 2, 4), Avg(1.5, 2.5), Avg[Meters](3, 5), Avg[int8]())
	r := MapKV(map[string]int{"a": 1}, func(k string, v int) string { return k + strconv.Itoa(v) })
	fmt.Println(r, Clamp(15, 0, 10), Clamp("m", "a", "k"), Clamp(Meters(-1), 0, 5))
	fmt.Printf("%T\n", Clamp(Meters(1), 0, 5))

}

// Output:
// 2.3333333333333335 2 4 NaN
// [a1] 10 k 0
// main.Meters
