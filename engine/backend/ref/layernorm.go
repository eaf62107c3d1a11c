package ref

import (
	"math"

	"tunebook/engine/backend"
)

// LayerNormForward writes s = x + res to sum, the row's mean and rstd = 1/sqrt(mean((s-mean)²)+eps), and
// y[t,:] = (s[t,:]-mean[t])·rstd[t]·w + b.
func (*Backend) LayerNormForward(y, sum, mean, rstd, x, res, w, b backend.Buffer, t, c int, eps float32) {
	const op = "LayerNormForward"
	if (sum == nil) != (res == nil) {
		panic("LayerNormForward: sum and res go together; one of them is nil")
	}
	ys, ms, rs := floats(op, "y", y, t*c), floats(op, "mean", mean, t), floats(op, "rstd", rstd, t)
	s, ws, bs := floats(op, "x", x, t*c), floats(op, "w", w, c), floats(op, "b", b, c)
	if res != nil {
		xs, res := s, floats(op, "res", res, t*c)
		s = floats(op, "sum", sum, t*c)
		for i := range s {
			s[i] = xs[i] + res[i]
		}
	}
	for i := range t {
		row := s[i*c : (i+1)*c]
		var m, v float64
		for _, x := range row {
			m += float64(x)
		}
		m /= float64(c)
		for _, x := range row {
			v += (float64(x) - m) * (float64(x) - m)
		}
		r := 1 / math.Sqrt(v/float64(c)+float64(eps))
		ms[i], rs[i] = float32(m), float32(r)
		for j, x := range row {
			ys[i*c+j] = float32((float64(x)-m)*r*float64(ws[j]) + float64(bs[j]))
		}
	}
}

// LayerNormBackward writes dX and adds to dW and dB. With n = (s-mean)·rstd, and g = dY·w the gradient of n,
//
//	dX[t,:] = dSum[t,:] + rstd[t]·(g[t,:] - mean(g[t,:]) - n[t,:]·mean(g[t,:]·n[t,:]))
//	dW = Σ_t dY[t,:]·n[t,:]    dB = Σ_t dY[t,:]
func (*Backend) LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd backend.Buffer, t, c int) {
	const op = "LayerNormBackward"
	dx, dy := floats(op, "dX", dX, t*c), floats(op, "dY", dY, t*c)
	xs, ws := floats(op, "x", x, t*c), floats(op, "w", w, c)
	ms, rs := floats(op, "mean", mean, t), floats(op, "rstd", rstd, t)
	var ds []float32
	if dSum != nil {
		ds = floats(op, "dSum", dSum, t*c)
	}
	dw, db := make([]float64, c), make([]float64, c)
	for i := range t {
		m, r := float64(ms[i]), float64(rs[i])
		var meanG, meanGN float64
		for j := range c {
			d, n := float64(dy[i*c+j]), (float64(xs[i*c+j])-m)*r
			meanG += d * float64(ws[j])
			meanGN += d * float64(ws[j]) * n
			dw[j] += d * n
			db[j] += d
		}
		meanG /= float64(c)
		meanGN /= float64(c)
		for j := range c {
			n, g := (float64(xs[i*c+j])-m)*r, float64(dy[i*c+j])*float64(ws[j])
			v := r * (g - meanG - n*meanGN)
			if ds != nil {
				v += float64(ds[i*c+j])
			}
			dx[i*c+j] = float32(v)
		}
	}
	if dW != nil {
		addRounded(floats(op, "dW", dW, c), dw)
	}
	if dB != nil {
		addRounded(floats(op, "dB", dB, c), db)
	}
}
