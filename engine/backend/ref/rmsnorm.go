package ref

import (
	"math"

	"tunebook/engine/backend"
)

// RMSNormForward writes s = x + res to sum, rstd[t] = 1/sqrt(mean(s[t,:]²)+eps) and y[t,:] = s[t,:]·rstd[t]·w.
func (*Backend) RMSNormForward(y, sum, rstd, x, res, w backend.Buffer, t, c int, eps float32) {
	const op = "RMSNormForward"
	if (sum == nil) != (res == nil) {
		panic("RMSNormForward: sum and res go together; one of them is nil")
	}
	ys, rs := floats(op, "y", y, t*c), floats(op, "rstd", rstd, t)
	s, ws := floats(op, "x", x, t*c), floats(op, "w", w, c)
	if res != nil {
		xs, res := s, floats(op, "res", res, t*c)
		s = floats(op, "sum", sum, t*c)
		for i := range s {
			s[i] = xs[i] + res[i]
		}
	}
	for i := range t {
		row := s[i*c : (i+1)*c]
		r := 1 / math.Sqrt(dot(row, row)/float64(c)+float64(eps))
		rs[i] = float32(r)
		for j, v := range row {
			ys[i*c+j] = float32(float64(v) * r * float64(ws[j]))
		}
	}
}

// RMSNormBackward writes dX and adds to dW. With n = s·rstd, and g = dY·w the gradient of n,
//
//	dX[t,:] = dSum[t,:] + rstd[t]·(g[t,:] - n[t,:]·mean(g[t,:]·n[t,:]))      dW = Σ_t dY[t,:]·n[t,:]
func (*Backend) RMSNormBackward(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
	const op = "RMSNormBackward"
	dx, dy := floats(op, "dX", dX, t*c), floats(op, "dY", dY, t*c)
	xs, ws, rs := floats(op, "x", x, t*c), floats(op, "w", w, c), floats(op, "rstd", rstd, t)
	var ds []float32
	if dSum != nil {
		ds = floats(op, "dSum", dSum, t*c)
	}
	dw := make([]float64, c)
	for i := range t {
		r := float64(rs[i])
		var mean float64
		for j := range c {
			n := float64(xs[i*c+j]) * r
			mean += float64(dy[i*c+j]) * float64(ws[j]) * n
			dw[j] += float64(dy[i*c+j]) * n
		}
		mean /= float64(c)
		for j := range c {
			n, g := float64(xs[i*c+j])*r, float64(dy[i*c+j])*float64(ws[j])
			v := r * (g - n*mean)
			if ds != nil {
				v += float64(ds[i*c+j])
			}
			dx[i*c+j] = float32(v)
		}
	}
	if dW != nil {
		addRounded(floats(op, "dW", dW, c), dw)
	}
}
