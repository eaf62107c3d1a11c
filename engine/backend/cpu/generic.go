package cpu

import (
	"math"
	"unsafe"

	"tunebook/engine/backend"
)

// generic is the portable implementation. It runs where there is no assembly, and the tests hold the assembly
// against it.
var generic = kernels{
	name: "plain Go", lanes: 8, rows: 4,
	heights: []int{4, 2, 1},
	columns: 4,
	dots:    []dotFunc{dotGeneric(1), dotGeneric(2)},
	panels:  panels{1, tilesGeneric, transposeGeneric, copyLanesGeneric, element},
	bf16:    &panels{1, tilesGeneric, transposeRoundedGeneric, copyLanesRoundedGeneric, rounded},

	expands:        [backend.Layouts]expandFunc{expandGeneric(backend.Q8_0), expandGeneric(backend.Q4_0), expandGeneric(backend.NF4), expandGeneric(backend.BF16)},
	packedDots:     [backend.Layouts]packedDotFunc{packedDotGeneric(backend.Q8_0), packedDotGeneric(backend.Q4_0), packedDotGeneric(backend.NF4), packedDotGeneric(backend.BF16)},
	axpy:           axpyGeneric,
	add:            addGeneric,
	scale:          scaleGeneric,
	dot:            dotGenericRow,
	dot3:           dot3Generic,
	sumSquares:     sumSquaresGeneric,
	normScale:      normScaleGeneric,
	normGrad:       normGradGeneric,
	normWeightGrad: normWeightGradGeneric,
	rotate:         rotateGeneric,
	rotatePairs:    rotatePairsGeneric,
	siluMul:        siluMulGeneric,
	siluMulGrad:    siluMulGradGeneric,
	adamw:          adamwGeneric,
	maxRow:         maxRowGeneric,
	expRow:         expRowGeneric,
	maxColumns:     maxColumnsGeneric,
	expColumns:     expColumnsGeneric,
	softmaxGrad:    softmaxGradGeneric,
}

var tilesGeneric = [][2]tileFunc{
	{tileGeneric(4, 0), tileGeneric(4, 16)},
	{tileGeneric(2, 0), tileGeneric(2, 16)},
	{tileGeneric(1, 0), tileGeneric(1, 16)},
}

// run returns the n elements from p on.
func run(p *float32, n int) []float32 { return unsafe.Slice(p, n) }

// sumBlock is the length of the chains of additions in tileGeneric. The sums of the chains are added up apart: short
// chains make up for the rounding of every product, which fused instructions do not have.
const sumBlock = 16

// tileGeneric returns the tile of that many rows; width 0 stands for n columns.
func tileGeneric(rows, width int) tileFunc {
	return func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, alpha, beta float32, n int) {
		if width > 0 {
			n = width
		}
		var as, bs []float32
		if k > 0 {
			as, bs = run(a, (k-1)*lda+rows), run(b, (k-1)*ldb+n)
		}
		cs := run(c, (rows-1)*ldc+n)
		for i := 0; i < rows; i += 2 {
			i1 := min(i+1, rows-1) // the last of an odd number of rows goes twice
			j := 0
			for ; j+4 <= n; j += 4 {
				var sum [2][4]float32
				for p := 0; p < k; {
					var s00, s01, s02, s03, s10, s11, s12, s13 float32
					for end := min(p+sumBlock, k); p < end; p++ {
						y := bs[p*ldb+j : p*ldb+j+4 : p*ldb+j+4]
						x0, x1 := as[p*lda+i], as[p*lda+i1]
						s00 += x0 * y[0]
						s01 += x0 * y[1]
						s02 += x0 * y[2]
						s03 += x0 * y[3]
						s10 += x1 * y[0]
						s11 += x1 * y[1]
						s12 += x1 * y[2]
						s13 += x1 * y[3]
					}
					sum[0][0] += s00
					sum[0][1] += s01
					sum[0][2] += s02
					sum[0][3] += s03
					sum[1][0] += s10
					sum[1][1] += s11
					sum[1][2] += s12
					sum[1][3] += s13
				}
				for r := i; r <= i1; r++ {
					putGeneric(cs[r*ldc+j:r*ldc+j+4], sum[r-i][:], alpha, beta)
				}
			}
			for ; j < n; j++ {
				for r := i; r <= i1; r++ {
					var sum float32
					for p := 0; p < k; {
						var s float32
						for end := min(p+sumBlock, k); p < end; p++ {
							s += as[p*lda+r] * bs[p*ldb+j]
						}
						sum += s
					}
					putGeneric(cs[r*ldc+j:r*ldc+j+1], []float32{sum}, alpha, beta)
				}
			}
		}
	}
}

// putGeneric writes alpha·sum + beta·c to c; with beta 0 the old c may be NaN.
func putGeneric(c, sum []float32, alpha, beta float32) {
	for i, s := range sum {
		s *= alpha
		if beta != 0 {
			s += beta * c[i]
		}
		c[i] = s
	}
}

func dotGeneric(rows int) dotFunc {
	return func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, alpha, beta float32, n int, _ *float32) {
		cs := run(c, (rows-1)*ldc+n)
		var as, bs []float32
		if k > 0 {
			as, bs = run(a, (rows-1)*lda+k), run(b, (n-1)*ldb+k)
		}
		for i := range rows {
			for j := range n {
				var s float32
				if k > 0 {
					s = alpha * dotGenericRow(&as[i*lda], &bs[j*ldb], k)
				}
				if beta != 0 {
					s += beta * cs[i*ldc+j]
				}
				cs[i*ldc+j] = s
			}
		}
	}
}

func transposeGeneric(dst *float32, ldd int, src *float32, lds int, rows, blocks int) {
	const lanes = 8
	n := blocks * lanes
	d, s := run(dst, (n-1)*ldd+lanes), run(src, (min(rows, lanes)-1)*lds+n)
	for p := range n {
		for i := range lanes {
			d[p*ldd+i] = s[min(i, rows-1)*lds+p]
		}
	}
}

func copyLanesGeneric(dst *float32, ldd int, src *float32, lds int, n, rows int) {
	const lanes = 8
	d, s := run(dst, (rows-1)*ldd+lanes), run(src, (rows-1)*lds+n)
	for p := range rows {
		clear(d[p*ldd+copy(d[p*ldd:p*ldd+lanes], s[p*lds:p*lds+n]) : p*ldd+lanes])
	}
}

func transposeRoundedGeneric(dst *float32, ldd int, src *float32, lds int, rows, blocks int) {
	transposeGeneric(dst, ldd, src, lds, rows, blocks)
	roundLanes(dst, ldd, blocks*8)
}

func copyLanesRoundedGeneric(dst *float32, ldd int, src *float32, lds int, n, rows int) {
	copyLanesGeneric(dst, ldd, src, lds, n, rows)
	roundLanes(dst, ldd, rows)
}

// roundLanes rounds the first vector of so many rows to bf16.
func roundLanes(x *float32, ld, rows int) {
	for p := range rows {
		row := run(offset(x, p*ld), 8)
		for i := range row {
			row[i] = rounded(row[i:])
		}
	}
}

func expandGeneric(q backend.Quant) expandFunc {
	g := expandGroup(q)
	return func(dst *float32, ldd int, codes *int32, scales *float32, ld, groups, rows int) {
		n := ((rows-1)*ld + groups) * g
		w := packed{codes: unsafe.Slice(codes, q.Codes(n)), scales: run(scales, q.Scales(n)), q: q}
		d := run(dst, (rows-1)*ldd+groups*g)
		for r := range rows {
			for at := 0; at < groups*g; at += q.Block() {
				w.block(d[r*ldd+at:r*ldd+at+q.Block()], (r*ld*g+at)/q.Block())
			}
		}
	}
}

func packedDotGeneric(q backend.Quant) packedDotFunc {
	expand := expandGeneric(q)
	return func(k int, a *float32, codes *int32, scales *float32, c *float32, alpha, beta float32, n int) {
		w := make([]float32, n*k)
		expand(&w[0], k, codes, scales, k/expandGroup(q), k/expandGroup(q), n)
		dotGeneric(1)(k, a, k, &w[0], k, c, n, alpha, beta, n, nil)
	}
}

// block writes the numbers of a whole block.
func (w *packed) block(y []float32, i int) {
	per := w.q.PerWord()
	codes := w.codes[i*len(y)/per : (i+1)*len(y)/per]
	switch w.q.Layout() {
	case backend.BF16:
		v := uint32(codes[0])
		y[0], y[1] = math.Float32frombits(v<<16), math.Float32frombits(v&^0xffff)
	case backend.Q8_0:
		s := w.scales[i]
		for j, word := range codes {
			v := uint32(word)
			o := y[4*j : 4*j+4 : 4*j+4]
			o[0], o[1], o[2], o[3] = s*float32(int8(v)), s*float32(int8(v>>8)), s*float32(int8(v>>16)), s*float32(int8(v>>24))
		}
	default:
		var scaled [16]float32
		for c, l := range w.q.Levels() {
			scaled[c] = w.scales[i] * l
		}
		for j, word := range codes {
			v := uint32(word)
			o := y[8*j : 8*j+8 : 8*j+8]
			o[0], o[1], o[2], o[3] = scaled[v&15], scaled[v>>4&15], scaled[v>>8&15], scaled[v>>12&15]
			o[4], o[5], o[6], o[7] = scaled[v>>16&15], scaled[v>>20&15], scaled[v>>24&15], scaled[v>>28]
		}
	}
}

func axpyGeneric(y, x *float32, alpha float32, n int) {
	ys, xs := run(y, n), run(x, n)
	for i, v := range xs {
		ys[i] += alpha * v
	}
}

func addGeneric(z, x, y *float32, n int) {
	zs, xs, ys := run(z, n), run(x, n), run(y, n)
	for i := range zs {
		zs[i] = xs[i] + ys[i]
	}
}

func scaleGeneric(y, x *float32, alpha float32, n int) {
	ys, xs := run(y, n), run(x, n)
	for i := range ys {
		ys[i] = alpha * xs[i]
	}
}

// dotGenericRow sums in eight lanes: shorter chains round less than one long one.
func dotGenericRow(x, y *float32, n int) float32 {
	var s [8]float32
	xs, ys := run(x, n), run(y, n)
	i := 0
	for ; i+8 <= n; i += 8 {
		a, b := xs[i:i+8:i+8], ys[i:i+8:i+8]
		for l := range s {
			s[l] += a[l] * b[l]
		}
	}
	for l := 0; i < n; i, l = i+1, l+1 {
		s[l] += xs[i] * ys[i]
	}
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

func dot3Generic(x, y, z *float32, n int) float32 {
	var s [8]float32
	xs, ys, zs := run(x, n), run(y, n), run(z, n)
	for i := range xs {
		s[i&7] += xs[i] * (ys[i] * zs[i])
	}
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

func sumSquaresGeneric(x *float32, n int) float64 {
	var s float64
	for _, v := range run(x, n) {
		s += float64(v) * float64(v)
	}
	return s
}

func normScaleGeneric(y, x, w *float32, r float32, n int) {
	ys, xs, ws := run(y, n), run(x, n), run(w, n)
	for i := range ys {
		ys[i] = xs[i] * r * ws[i]
	}
}

func normGradGeneric(dx, dsum, dy, x, w *float32, r, c float32, n int) {
	dxs, ds, dys, xs, ws := run(dx, n), run(dsum, n), run(dy, n), run(x, n), run(w, n)
	for i := range dxs {
		dxs[i] = ds[i] + r*dys[i]*ws[i] - c*xs[i]
	}
}

func normWeightGradGeneric(dw, dy, x *float32, r float32, n int) {
	dws, dys, xs := run(dw, n), run(dy, n), run(x, n)
	for i := range dws {
		dws[i] += r * dys[i] * xs[i]
	}
}

func rotateGeneric(y0, y1, x0, x1, cos, sin *float32, n int) {
	y0s, y1s, x0s, x1s, cs, ss := run(y0, n), run(y1, n), run(x0, n), run(x1, n), run(cos, n), run(sin, n)
	for i := range y0s {
		a, b := x0s[i], x1s[i]
		y0s[i], y1s[i] = a*cs[i]-b*ss[i], b*cs[i]+a*ss[i]
	}
}

func rotatePairsGeneric(y, x, cos, sin *float32, sign float32, n int) {
	ys, xs, cs, ss := run(y, n), run(x, n), run(cos, n), run(sin, n)
	for i := 0; i+1 < n; i += 2 {
		a, b, s := xs[i], xs[i+1], sign*ss[i]
		ys[i], ys[i+1] = a*cs[i]-b*s, b*cs[i]+a*s
	}
}

// expf is exp for one number, with the range of the vectorised one: 0 below -87.33, exp(88) above 88.
func expf(x float32) float32 {
	if x < -87.33 {
		return 0
	}
	return float32(math.Exp(float64(min(x, 88))))
}

func siluMulGeneric(y, gate, up *float32, n int) {
	ys, gs, us := run(y, n), run(gate, n), run(up, n)
	for i := range ys {
		ys[i] = gs[i] / (1 + expf(-gs[i])) * us[i]
	}
}

func siluMulGradGeneric(dGate, dUp, dY, gate, up *float32, n int) {
	dgs, dus, dys, gs, us := run(dGate, n), run(dUp, n), run(dY, n), run(gate, n), run(up, n)
	for i := range dgs {
		s := 1 / (1 + expf(-gs[i]))
		silu := gs[i] * s
		dy, u := dys[i], us[i]
		dgs[i], dus[i] = dy*u*(s+silu*(1-s)), dy*silu
	}
}

func adamwGeneric(p, m, v, grad, coef *float32, n int) {
	ps, ms, vs, gs := run(p, n), run(m, n), run(v, n), run(grad, n)
	c := (*adamwCoef)(unsafe.Pointer(coef))
	for i := range ps {
		g := gs[i] * c.gradScale
		ms[i] = c.beta1*ms[i] + c.beta1c*g
		vs[i] = c.beta2*vs[i] + c.beta2c*(g*g)
		den := float32(math.Sqrt(float64(vs[i]*c.vScale))) + c.eps
		ps[i] = ps[i]*c.decay - ms[i]*c.step/den
	}
}

func maxRowGeneric(x *float32, n int) float32 {
	m := *x
	for _, v := range run(x, n) {
		if v > m {
			m = v
		}
	}
	return m
}

func expRowGeneric(y, x *float32, sub float32, n int) float32 {
	ys, xs := run(y, n), run(x, n)
	var s [8]float32
	for i, v := range xs {
		e := expf(v - sub)
		ys[i] = e
		s[i&7] += e
	}
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

// tileWidth is the width of the tiles that the portable kernels of softmax along columns work on.
const tileWidth = 16

func maxColumnsGeneric(m, s *float32, rows int) {
	ms, ss := run(m, tileWidth), run(s, rows*tileWidth)
	for i, v := range ss {
		if v > ms[i%tileWidth] {
			ms[i%tileWidth] = v
		}
	}
}

func expColumnsGeneric(l, s, m *float32, rows int) {
	ls, ss, ms := run(l, tileWidth), run(s, rows*tileWidth), run(m, tileWidth)
	for i, v := range ss {
		e := expf(v - ms[i%tileWidth])
		ss[i] = e
		ls[i%tileWidth] += e
	}
}

func softmaxGradGeneric(s, dp, lse, delta *float32, scale float32, rows int) {
	ss, ds := run(s, rows*tileWidth), run(dp, rows*tileWidth)
	ls, dl := run(lse, tileWidth), run(delta, tileWidth)
	for i, v := range ss {
		e := expf(v - ls[i%tileWidth])
		ss[i] = e
		ds[i] = e * (ds[i] - dl[i%tileWidth]) * scale
	}
}
