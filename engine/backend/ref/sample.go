package ref

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tunebook/engine/backend"
)

// Sample writes one index for each row of scores, as backend.Draw defines it.
func (*Backend) Sample(ids, x backend.Buffer, draws []backend.Draw, v int) {
	const op = "Sample"
	t := len(draws)
	out, xs := ints(op, "ids", ids, t), floats(op, "x", x, t*v)
	if v <= 0 && t > 0 {
		panic(fmt.Sprintf("Sample: rows of %d elements; wanted at least 1", v))
	}
	for i, d := range draws {
		out[i] = sample(xs[i*v:(i+1)*v], d)
	}
}

func sample(row []float32, d backend.Draw) int32 {
	type weight struct {
		id int32
		z  float32
		p  float64
	}
	list, best := make([]weight, len(row)), 0
	for i, z := range row {
		if z != z || math.IsInf(float64(z), 1) {
			return -1
		}
		list[i] = weight{id: int32(i), z: z}
		if z > row[best] {
			best = i
		}
	}
	top := float64(row[best])
	switch {
	case math.IsInf(top, -1):
		return -1
	case d.Temperature == 0:
		return int32(best)
	}
	for i := range list {
		list[i].p = math.Exp((float64(list[i].z) - top) / d.Temperature)
	}
	if d.Cuts() {
		slices.SortStableFunc(list, func(a, b weight) int { return cmp.Compare(b.z, a.z) })
	}
	sum := func() (s float64) {
		for _, w := range list {
			s += w.p
		}
		return s
	}
	if d.TopK > 0 && d.TopK < len(list) {
		list = list[:d.TopK]
	}
	if d.TopP > 0 && d.TopP < 1 {
		all, have := sum(), 0.0
		for i, w := range list {
			if have += w.p; have >= d.TopP*all {
				list = list[:i+1]
				break
			}
		}
	}
	if d.MinP > 0 {
		if i := slices.IndexFunc(list, func(w weight) bool { return w.p < d.MinP }); i >= 0 {
			list = list[:i]
		}
	}
	rest := d.U * sum()
	for _, w := range list {
		if rest -= w.p; rest < 0 {
			return w.id
		}
	}
	return list[len(list)-1].id
}
