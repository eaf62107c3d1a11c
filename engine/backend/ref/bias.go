package ref

import "tunebook/engine/backend"

// AddBias adds b to every row of y.
func (*Backend) AddBias(y, b backend.Buffer, t, c int) {
	ys, bs := floats("AddBias", "y", y, t*c), floats("AddBias", "b", b, c)
	for i := range ys {
		ys[i] += bs[i%c]
	}
}

// SumRows adds Σ_t dY[t,:] to dB.
func (*Backend) SumRows(dB, dY backend.Buffer, t, c int) {
	db, dy := floats("SumRows", "dB", dB, c), floats("SumRows", "dY", dY, t*c)
	sum := make([]float64, c)
	for i, v := range dy {
		sum[i%c] += float64(v)
	}
	addRounded(db, sum)
}
