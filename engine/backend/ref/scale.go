package ref

import (
	"math"

	"tunebook/engine/backend"
)

// RowNorms writes norms[t] = sqrt(Σ x[t,:]²).
func (*Backend) RowNorms(norms, x backend.Buffer, t, c int) {
	const op = "RowNorms"
	ns, xs := floats(op, "norms", norms, t), floats(op, "x", x, t*c)
	for i := range t {
		row := xs[i*c : (i+1)*c]
		ns[i] = float32(math.Sqrt(dot(row, row)))
	}
}

// ScaleColumnsForward writes y[t,j] = x[t,j]·m[j]/d[j].
func (*Backend) ScaleColumnsForward(y, x, m, d backend.Buffer, t, c int) {
	const op = "ScaleColumnsForward"
	ys, xs := floats(op, "y", y, t*c), floats(op, "x", x, t*c)
	ms, ds := floats(op, "m", m, c), floats(op, "d", d, c)
	for i := range ys {
		j := i % c
		ys[i] = float32(float64(xs[i]) * float64(ms[j]) / float64(ds[j]))
	}
}

// ScaleColumnsBackward writes dX = dY·m/d and adds Σ dY·x/d to dM.
func (*Backend) ScaleColumnsBackward(dX, dM, dY, x, m, d backend.Buffer, t, c int) {
	const op = "ScaleColumnsBackward"
	dx, dy, xs := floats(op, "dX", dX, t*c), floats(op, "dY", dY, t*c), floats(op, "x", x, t*c)
	ms, ds := floats(op, "m", m, c), floats(op, "d", d, c)
	if dM != nil {
		dm, sum := floats(op, "dM", dM, c), make([]float64, c)
		for i := range dy {
			sum[i%c] += float64(dy[i]) * float64(xs[i]) / float64(ds[i%c])
		}
		addRounded(dm, sum)
	}
	for i := range dx {
		dx[i] = float32(float64(dy[i]) * float64(ms[i%c]) / float64(ds[i%c]))
	}
}
