package ref

import (
	"math"
	"slices"

	"tunebook/engine/backend"
)

// LinearCrossEntropy writes nll[t] = lse[t] - logit[t,targets[t]], with logit = x·Wᵀ and lse[t] = log Σ exp(logit[t,:]).
// With g[t,v] = scale·weights[t]·(softmax(logit)[t,v] - 1[v = targets[t]]) it writes dX = g·W and adds gᵀ·x to dW.
func (*Backend) LinearCrossEntropy(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32) {
	const op = "LinearCrossEntropy"
	ns, xs, ws := floats(op, "nll", nll, t), floats(op, "x", x, t*c), floats(op, "w", w, v*c)
	ids := ints(op, "targets", targets, t)
	if dX == nil && dW != nil {
		panic("LinearCrossEntropy: dW without dX; wanted both or dX alone")
	}
	logit := func(i, j int) float64 { return dot(xs[i*c:(i+1)*c], ws[j*c:(j+1)*c]) }
	lse := make([]float64, t)
	for i := range t {
		if ids[i] == backend.IgnoreIndex {
			ns[i] = 0
			continue
		}
		target := index(op, "target", ids[i], v)
		row, top := make([]float64, v), math.Inf(-1)
		for j := range row {
			row[j] = logit(i, j)
			top = max(top, row[j])
		}
		var sum float64
		for _, l := range row {
			sum += math.Exp(l - top)
		}
		lse[i] = top + math.Log(sum)
		ns[i] = float32(lse[i] - row[target])
	}
	if dX == nil {
		return
	}
	var share []float32
	if weights != nil {
		share = floats(op, "weights", weights, t)
	}
	sumX := make([]float64, t*c)
	for j := range v {
		sumW := make([]float64, c)
		for i := range t {
			if ids[i] == backend.IgnoreIndex {
				continue
			}
			g := math.Exp(logit(i, j) - lse[i])
			if j == int(ids[i]) {
				g--
			}
			g *= float64(scale)
			if share != nil {
				g *= float64(share[i])
			}
			for e := range c {
				sumX[i*c+e] += g * float64(ws[j*c+e])
				sumW[e] += g * float64(xs[i*c+e])
			}
		}
		if dW != nil {
			addRounded(floats(op, "dW", dW, v*c)[j*c:(j+1)*c], sumW)
		}
	}
	round(floats(op, "dX", dX, t*c), sumX)
}

// CrossEntropy writes nll[t] = log Σ exp(x[t,:]) - x[t,ids[t]].
func (*Backend) CrossEntropy(nll, x, ids backend.Buffer, t, v int) {
	const op = "CrossEntropy"
	out, xs, targets := floats(op, "nll", nll, t), floats(op, "x", x, t*v), ints(op, "ids", ids, t)
	for i := range t {
		row, target := xs[i*v:(i+1)*v], index(op, "id", targets[i], v)
		top, sum := float64(slices.Max(row)), 0.0
		for _, z := range row {
			sum += math.Exp(float64(z) - top)
		}
		out[i] = float32(top + math.Log(sum) - float64(row[target]))
	}
}
