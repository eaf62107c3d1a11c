package ref

import "tunebook/engine/backend"

// EmbeddingForward writes y[t,:] = w[ids[t],:].
func (*Backend) EmbeddingForward(y, w, ids backend.Buffer, t, c int) {
	ys, id := floats("EmbeddingForward", "y", y, t*c), ints("EmbeddingForward", "ids", ids, t)
	ws := floats("EmbeddingForward", "w", w, w.Len())
	for i := range t {
		row := index("EmbeddingForward", "id", id[i], len(ws)/c)
		copy(ys[i*c:(i+1)*c], ws[row*c:(row+1)*c])
	}
}

// EmbeddingBackward adds dY[t,:] to dW[ids[t],:].
func (*Backend) EmbeddingBackward(dW, dY, ids backend.Buffer, t, c int) {
	dy, id := floats("EmbeddingBackward", "dY", dY, t*c), ints("EmbeddingBackward", "ids", ids, t)
	dw := floats("EmbeddingBackward", "dW", dW, dW.Len())
	sums := map[int][]float64{} // one per row that is named, so that repeated ids are summed before rounding
	for i := range t {
		row := index("EmbeddingBackward", "id", id[i], len(dw)/c)
		if sums[row] == nil {
			sums[row] = make([]float64, c)
		}
		for j := range c {
			sums[row][j] += float64(dy[i*c+j])
		}
	}
	for row, sum := range sums {
		addRounded(dw[row*c:(row+1)*c], sum)
	}
}
