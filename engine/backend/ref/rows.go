package ref

import "tunebook/engine/backend"

// Gather writes y[i,:] = x[rows[i],:].
func (*Backend) Gather(y, x, rows backend.Buffer, n, c int) {
	ys, xs := floats("Gather", "y", y, n*c), floats("Gather", "x", x, x.Len())
	for i, row := range ints("Gather", "rows", rows, n) {
		at := index("Gather", "row", row, len(xs)/c) * c
		copy(ys[i*c:(i+1)*c], xs[at:at+c])
	}
}

// Scatter writes y[rows[i],:] = x[i,:].
func (*Backend) Scatter(y, x, rows backend.Buffer, n, c int) {
	ys, xs := floats("Scatter", "y", y, y.Len()), floats("Scatter", "x", x, n*c)
	for i, row := range ints("Scatter", "rows", rows, n) {
		at := index("Scatter", "row", row, len(ys)/c) * c
		copy(ys[at:at+c], xs[i*c:(i+1)*c])
	}
}
