package conform

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
	"tunebook/engine/weights"
)

// drawing is Sample of ref with every draw changed.
func drawing(change func(d backend.Draw) backend.Draw) func(ids, x backend.Buffer, draws []backend.Draw, v int) {
	return func(ids, x backend.Buffer, draws []backend.Draw, v int) {
		var changed []backend.Draw
		for _, d := range draws {
			changed = append(changed, change(d))
		}
		ref.New().Sample(ids, x, changed, v)
	}
}

func host(b backend.Buffer) []float32 { return b.(*backend.HostBuffer).F }

// past returns the n elements behind a buffer, which are other memory.
func past(b backend.Buffer, n int) []float32 {
	x := host(b)
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))), n)
}

// seen is a T that stops a check at the first failure that has certain words.
type seen struct {
	Recorder
	words string
}

type enough struct{}

func (s *seen) Errorf(format string, args ...any) {
	s.Recorder.Errorf(format, args...)
	if strings.Contains(s.Failures[len(s.Failures)-1], s.words) {
		panic(enough{})
	}
}

// caught runs the checks whose names begin with prefix and end with suffix until one fails with these words. It returns
// what failed.
func caught(b backend.Backend, prefix, suffix, words string) (failed []string, ok bool) {
	s := &seen{words: words}
	defer func() {
		if r := recover(); r != nil {
			_, ok = r.(enough)
			if failed = s.Failures; !ok {
				failed = append(failed, fmt.Sprint("panic: ", r))
			}
		}
	}()
	for _, c := range Checks() {
		if strings.HasPrefix(c.Name, prefix) && strings.HasSuffix(c.Name, suffix) {
			c.Run(s, b)
		}
	}
	return s.Failures, false
}

// Every mistake here was made by some kernel of the field. Each must be caught by the checks of its own operation, with
// words that say what is wrong.
func TestMutants(t *testing.T) {
	r := ref.New()
	flaky := float32(0)
	for _, m := range []struct {
		name, op, want string
		b              *mutant
	}{
		{"beta 0 reads C", "MatMul", "beta 0", &mutant{matmul: func(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
			old := append([]float32{}, host(c)...)
			r.MatMul(c, a, b, m, n, k, op, alpha, beta)
			for i := range old {
				host(c)[i] += beta * old[i]
				if beta == 0 {
					host(c)[i] += 0 * old[i]
				}
			}
		}}},
		{"alpha left out", "MatMul", "alpha 0.5", &mutant{matmul: func(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, _, beta float32) {
			r.MatMul(c, a, b, m, n, k, op, 1, beta)
		}}},
		{"the last column is forgotten where it is odd", "MatMul", "×577×", &mutant{matmul: func(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
			r.MatMul(c, a, b, m, n, k, op, alpha, beta)
			if n == 577 {
				for i := range m {
					host(c)[i*n+n-1] = 0
				}
			}
		}}},
		{"a small error", "MatMul", "beyond", &mutant{matmul: func(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
			r.MatMul(c, a, b, m, n, k, op, alpha*(1+2e-5), beta)
		}}},
		{"other bits in a second call", "MatMul", "second call", &mutant{matmul: func(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
			flaky += 1e-7
			r.MatMul(c, a, b, m, n, k, op, alpha+flaky, beta)
		}}},
		{"writes past the end", "EmbeddingForward", "memory around y", &mutant{embForward: func(y, w, ids backend.Buffer, t, c int) {
			r.EmbeddingForward(y, w, ids, t, c)
			past(y, 1)[0] = 0
		}}},
		{"an id is off by one", "EmbeddingForward", "y:", &mutant{embForward: func(y, w, ids backend.Buffer, t, c int) {
			if c == 31 {
				w = w.Slice(1, w.Len())
			}
			r.EmbeddingForward(y, w, ids, t, c)
		}}},
		{"the last of equal ids wins", "EmbeddingBackward", "dW", &mutant{embBackward: func(dW, dY, ids backend.Buffer, t, c int) {
			last := map[int32]int{}
			for i, id := range ids.(*backend.HostBuffer).I[:t] {
				last[id] = i
			}
			for id, i := range last {
				for j := range c {
					host(dW)[int(id)*c+j] += host(dY)[i*c+j]
				}
			}
		}}},
		{"eps left out", "RMSNormForward", "y:", &mutant{normForward: func(y, sum, rstd, x, res, w backend.Buffer, t, c int, _ float32) {
			r.RMSNormForward(y, sum, rstd, x, res, w, t, c, 0)
		}}},
		{"its input is changed", "RMSNormForward", "input w", &mutant{normForward: func(y, sum, rstd, x, res, w backend.Buffer, t, c int, eps float32) {
			r.RMSNormForward(y, sum, rstd, x, res, w, t, c, eps)
			host(w)[0]++
		}}},
		{"dX adds", "RMSNormBackward", "dX", &mutant{normBackward: func(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
			old := append([]float32{}, host(dX)...)
			r.RMSNormBackward(dX, dW, dY, dSum, x, w, rstd, t, c)
			for i := range old {
				host(dX)[i] += old[i]
			}
		}}},
		{"dW writes", "RMSNormBackward", "dW", &mutant{normBackward: func(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
			if dW != nil {
				clear(host(dW))
			}
			r.RMSNormBackward(dX, dW, dY, dSum, x, w, rstd, t, c)
		}}},
		{"dSum is lost where dX lies in it", "RMSNormBackward", "dX dSum", &mutant{normBackward: func(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
			if dX == dSum {
				dSum = nil
			}
			r.RMSNormBackward(dX, dW, dY, dSum, x, w, rstd, t, c)
		}}},
		{"the row is not centred", "LayerNormForward", "y:", &mutant{lnForward: func(y, sum, mean, rstd, x, res, w, b backend.Buffer, t, c int, eps float32) {
			r.LayerNormForward(y, sum, mean, rstd, x, res, w, b, t, c, eps)
			for i := range t {
				for j := range c {
					host(y)[i*c+j] += host(mean)[i] * host(rstd)[i] * host(w)[j]
				}
			}
		}}},
		{"the variance is a difference of squares in float32", "LayerNormForward", "y:", &mutant{lnForward: func(y, sum, mean, rstd, x, res, w, b backend.Buffer, t, c int, eps float32) {
			r.LayerNormForward(y, sum, mean, rstd, x, res, w, b, t, c, eps)
			s := x
			if sum != nil {
				s = sum
			}
			for i := range t {
				var m, q float32
				for _, v := range host(s)[i*c : (i+1)*c] {
					m += v / float32(c)
					q += v * v / float32(c)
				}
				for j, v := range host(s)[i*c : (i+1)*c] {
					host(y)[i*c+j] = (v-m)/float32(math.Sqrt(float64(q-m*m+eps)))*host(w)[j] + host(b)[j]
				}
			}
		}}},
		{"dB writes", "LayerNormBackward", "dB", &mutant{lnBackward: func(dX, dW, dB, dY, dSum, x, w, mean, rstd backend.Buffer, t, c int) {
			if dB != nil {
				clear(host(dB))
			}
			r.LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd, t, c)
		}}},
		{"the mean's gradient is forgotten", "LayerNormBackward", "dX", &mutant{lnBackward: func(dX, dW, dB, dY, dSum, x, w, mean, rstd backend.Buffer, t, c int) {
			r.LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd, t, c)
			for i := range t {
				var g float32
				for j := range c {
					g += host(dY)[i*c+j] * host(w)[j] / float32(c)
				}
				for j := range c {
					host(dX)[i*c+j] += host(rstd)[i] * g
				}
			}
		}}},
		{"only to the first row", "AddBias", "y:", &mutant{addBias: func(y, b backend.Buffer, t, c int) { r.AddBias(y, b, min(t, 1), c) }}},
		{"writes", "SumRows", "dB:", &mutant{sumRows: func(dB, dY backend.Buffer, t, c int) {
			clear(host(dB))
			r.SumRows(dB, dY, t, c)
		}}},
		{"lengths are not rooted", "RowNorms", "33", &mutant{norms: func(norms, x backend.Buffer, t, c int) {
			r.RowNorms(norms, x, t, c)
			for i, v := range host(norms)[:t] {
				host(norms)[i] = v * v
			}
		}}},
		{"columns are not divided", "ScaleColumnsForward", "33", &mutant{scForward: func(y, x, m, d backend.Buffer, t, c int) {
			one := r.Alloc(tensor.F32, c)
			r.Fill(one, 1)
			r.ScaleColumnsForward(y, x, m, one, t, c)
		}}},
		{"dM is written, not added to", "ScaleColumnsBackward", "33", &mutant{scBackward: func(dX, dM, dY, x, m, d backend.Buffer, t, c int) {
			if dM != nil {
				r.Fill(dM, 0)
			}
			r.ScaleColumnsBackward(dX, dM, dY, x, m, d, t, c)
		}}},
		{"codes from the wrong end", "Dequantize", "q4_0", &mutant{dequant: func(y, codes, scales backend.Buffer, n int, q backend.Quant) {
			turned := r.Alloc(tensor.I32, codes.Len())
			for i, w := range codes.(*backend.HostBuffer).I {
				turned.(*backend.HostBuffer).I[i] = int32(bits.Reverse32(uint32(w)))
			}
			r.Dequantize(y, turned, scales, n, q)
		}}},
		{"a product NT that rounds nothing", "MatMulPacked", "int8", &mutant{packed: func(c, a, codes, scales backend.Buffer, m, n, k int, op backend.MatOp, q backend.Quant, alpha, beta float32) {
			r.MatMulPacked(c, a, codes, scales, m, n, k, op, q.Layout(), alpha, beta)
		}}},
		{"a product NN that rounds its left side", "MatMulPacked", "NN", &mutant{packed: func(c, a, codes, scales backend.Buffer, m, n, k int, op backend.MatOp, q backend.Quant, alpha, beta float32) {
			if q.Rounds() && op == backend.NN {
				w, a2 := r.Alloc(tensor.F32, n*k), r.Alloc(tensor.F32, m*k)
				r.Dequantize(w, codes, scales, n*k, q)
				for i, v := range a.(*backend.HostBuffer).F[:m*k] {
					a2.(*backend.HostBuffer).F[i] = float32(math.Round(float64(v)*100) / 100)
				}
				r.MatMul(c, a2, w, m, n, k, op, alpha, beta)
				return
			}
			r.MatMulPacked(c, a, codes, scales, m, n, k, op, q, alpha, beta)
		}}},
		{"the row after", "EmbeddingPacked", "nf4", &mutant{embPacked: func(y, codes, scales, ids backend.Buffer, t, c, v int, q backend.Quant) {
			next := r.Alloc(tensor.I32, t)
			for i, id := range ids.(*backend.HostBuffer).I[:t] {
				next.(*backend.HostBuffer).I[i] = (id + 1) % int32(v)
			}
			r.EmbeddingPacked(y, codes, scales, next, t, c, v, q)
		}}},
		{"the approximation for both", "GeGLUForward", "tanh false", &mutant{geForward: func(y, gate, up backend.Buffer, n int, _ bool) {
			r.GeGLUForward(y, gate, up, n, true)
		}}},
		{"dUp reads the new dGate", "GeGLUBackward", "dGate in dY", &mutant{geBackward: func(dGate, dUp, dY, gate, up backend.Buffer, n int, tanh bool) {
			if up == nil {
				r.GeGLUBackward(dGate, dUp, dY, gate, up, n, tanh)
				return
			}
			spare := r.Alloc(tensor.F32, n)
			r.GeGLUBackward(dGate, spare, dY, gate, up, n, tanh)
			r.GeGLUBackward(spare, dUp, dY, gate, up, n, tanh)
		}}},
		{"one pairing for both", "RoPE", "pairing 1", &mutant{rope: func(y, x, pos, freqs backend.Buffer, t, heads, d int, _ backend.Pairing, inverse bool) {
			r.RoPE(y, x, pos, freqs, t, heads, d, backend.Half, inverse)
		}}},
		{"inverse is ignored", "RoPE", "inverse true", &mutant{rope: func(y, x, pos, freqs backend.Buffer, t, heads, d int, p backend.Pairing, _ bool) {
			r.RoPE(y, x, pos, freqs, t, heads, d, p, false)
		}}},
		{"gate is read after it was written", "SwiGLUForward", "gate", &mutant{gluForward: func(y, gate, up backend.Buffer, n int) {
			r.Copy(y.Slice(0, n), up.Slice(0, n))
			r.SwiGLUForward(y, gate, y, n)
		}}},
		{"dUp reads the new dGate", "SwiGLUBackward", "dGate in dY", &mutant{gluBackward: func(dGate, dUp, dY, gate, up backend.Buffer, n int) {
			spare := r.Alloc(tensor.F32, n)
			r.SwiGLUBackward(dGate, spare, dY, gate, up, n)
			r.SwiGLUBackward(spare, dUp, dY, gate, up, n)
		}}},
		{"the last segment is left out", "AttentionForward", "o:", &mutant{attForward: func(o, lse, q, k, v backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			cut := &backend.Segments{List: s.List[:max(0, len(s.List)-1)], Window: s.Window, Full: s.Full}
			r.AttentionForward(o, lse, q, k, v, cut, h, kh, d, scale)
		}}},
		{"a document sees the one before it", "AttentionForward", "many, with gaps", &mutant{attForward: func(o, lse, q, k, v backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			wide := &backend.Segments{Window: s.Window, Full: s.Full}
			for _, g := range s.List {
				if g.QLen > 0 && g.QLen == g.KLen && g.KStart > 0 {
					g.KStart--
					g.KLen++
				}
				wide.List = append(wide.List, g)
			}
			r.AttentionForward(o, lse, q, k, v, wide, h, kh, d, scale)
		}}},
		{"the window is one key short", "AttentionForward", "window 3", &mutant{attForward: func(o, lse, q, k, v backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			r.AttentionForward(o, lse, q, k, v, &backend.Segments{List: s.List, Window: max(min(s.Window, 1), s.Window-1), Full: s.Full}, h, kh, d, scale)
		}}},
		{"always causal", "AttentionForward", "full", &mutant{attForward: func(o, lse, q, k, v backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			r.AttentionForward(o, lse, q, k, v, &backend.Segments{List: s.List, Window: s.Window}, h, kh, d, scale)
		}}},
		{"the window has one side", "AttentionForward", "full, window 3", &mutant{attForward: func(o, lse, q, k, v backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			r.AttentionForward(o, lse, q, k, v, &backend.Segments{List: s.List, Window: s.Window, Full: s.Full && s.Window == 0}, h, kh, d, scale)
		}}},
		{"the window is ignored", "AttentionBackward", "window", &mutant{attBackward: func(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			r.AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse, &backend.Segments{List: s.List, Full: s.Full}, h, kh, d, scale)
		}}},
		{"the mask is aligned at the start", "AttentionForward", "one query", &mutant{attForward: func(o, lse, q, k, v backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			cut := &backend.Segments{Window: s.Window, Full: s.Full}
			for _, g := range s.List {
				g.KLen = g.QLen
				cut.List = append(cut.List, g)
			}
			r.AttentionForward(o, lse, q, k, v, cut, h, kh, d, scale)
		}}},
		{"rows of no segment become zero", "AttentionForward", "leave alone", &mutant{attForward: func(o, lse, q, k, v backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			clear(host(o))
			r.AttentionForward(o, lse, q, k, v, s, h, kh, d, scale)
		}}},
		{"key-value heads by remainder", "AttentionForward", "4 over 2", &mutant{attForward: func(o, lse, q, k, v backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			r.AttentionForward(o, lse, q, k, v, s, h, kh, d, scale)
			if h == 4 && kh == 2 { // the two middle heads would be exchanged
				x := host(o)
				for at := 0; at+h*d <= len(x); at += h * d {
					for e := range d {
						x[at+d+e], x[at+2*d+e] = x[at+2*d+e], x[at+d+e]
					}
				}
			}
		}}},
		{"dK without scale", "AttentionBackward", "dK", &mutant{attBackward: func(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			r.AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse, s, h, kh, d, scale)
			for i := range host(dK) {
				host(dK)[i] /= scale
			}
		}}},
		{"dV of the first key is one row short", "AttentionBackward", "dV", &mutant{attBackward: func(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			r.AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse, s, h, kh, d, scale)
			for _, g := range s.List {
				if g.QLen > 0 {
					host(dV)[g.KStart*kh*d] = 0
				}
			}
		}}},
		{"ignored rows have a loss", "LinearCrossEntropy", "nll", &mutant{entropy: func(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32) {
			r.LinearCrossEntropy(nll, dX, dW, x, w, targets, weights, t, c, v, scale)
			for i, id := range targets.(*backend.HostBuffer).I[:t] {
				if id == backend.IgnoreIndex {
					host(nll)[i] = 1
				}
			}
		}}},
		{"ignored rows keep the old gradient", "LinearCrossEntropy", "dX", &mutant{entropy: func(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32) {
			var old []float32
			if dX != nil {
				old = append(old, host(dX)...)
			}
			r.LinearCrossEntropy(nll, dX, dW, x, w, targets, weights, t, c, v, scale)
			for i, id := range targets.(*backend.HostBuffer).I[:t] {
				if id == backend.IgnoreIndex && dX != nil {
					copy(host(dX)[i*c:(i+1)*c], old[i*c:])
				}
			}
		}}},
		{"weights are left out", "LinearCrossEntropy", "dX", &mutant{entropy: func(nll, dX, dW, x, w, targets, _ backend.Buffer, t, c, v int, scale float32) {
			r.LinearCrossEntropy(nll, dX, dW, x, w, targets, nil, t, c, v, scale)
		}}},
		{"rows in their own order", "Gather", "y:", &mutant{gather: func(y, x, rows backend.Buffer, n, c int) {
			r.Copy(y.Slice(0, n*c), x.Slice(0, n*c))
		}}},
		{"other rows become zero", "Scatter", "leave alone", &mutant{scatter: func(y, x, rows backend.Buffer, n, c int) {
			clear(host(y))
			r.Scatter(y, x, rows, n, c)
		}}},
		{"in blocks of eight past the end", "AddScaled", "memory around y", &mutant{addScaled: func(y, x backend.Buffer, alpha float32) {
			r.AddScaled(y, x, alpha)
			for i := range past(y, 7)[:(8-y.Len()%8)%8] {
				past(y, 7)[i] += alpha
			}
		}}},
		{"only whole blocks", "Copy", "dst", &mutant{copy: func(dst, src backend.Buffer) {
			n := dst.Len() / 8 * 8
			r.Copy(dst.Slice(0, n), src.Slice(0, n))
		}}},
		{"writes", "AddScaled", "y:", &mutant{addScaled: func(y, x backend.Buffer, alpha float32) {
			clear(host(y))
			r.AddScaled(y, x, alpha)
		}}},
		{"before the start", "Fill", "memory around x", &mutant{fill: func(x backend.Buffer, v float32) {
			r.Fill(x, v)
			f := host(x)
			*(*float32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(f)), -4)) = v
		}}},
		{"the last of equals", "Sample", "ids:", &mutant{sample: func(ids, x backend.Buffer, draws []backend.Draw, v int) {
			turned := slices.Clone(host(x))
			for i := range draws {
				slices.Reverse(turned[i*v : (i+1)*v])
			}
			r.Sample(ids, &backend.HostBuffer{F: turned}, draws, v)
			for i, id := range ids.(*backend.HostBuffer).I[:len(draws)] {
				if id >= 0 {
					ids.(*backend.HostBuffer).I[i] = int32(v) - 1 - id
				}
			}
		}}},
		{"begins at zero", "Sample", "ids:", &mutant{sample: func(ids, x backend.Buffer, draws []backend.Draw, v int) {
			above := slices.Clone(host(x))
			for i := range above {
				above[i] = max(0, above[i])
			}
			r.Sample(ids, &backend.HostBuffer{F: above}, draws, v)
		}}},
		{"a NaN passes", "Sample", "ids:", &mutant{sample: func(ids, x backend.Buffer, draws []backend.Draw, v int) {
			finite := slices.Clone(host(x))
			for i, z := range finite {
				if z != z {
					finite[i] = float32(math.Inf(-1))
				}
			}
			r.Sample(ids, &backend.HostBuffer{F: finite}, draws, v)
		}}},
		{"top-p of all that there is", "Sample", "ids:", &mutant{sample: drawing(func(d backend.Draw) backend.Draw {
			if d.TopP > 0 {
				d.TopK = 0
			}
			return d
		})}},
		{"min-p of the last cut alone", "Sample", "ids:", &mutant{sample: drawing(func(d backend.Draw) backend.Draw {
			if d.TopP > 0 {
				d.MinP = 0
			}
			return d
		})}},
		{"one token too many", "Sample", "ids:", &mutant{sample: drawing(func(d backend.Draw) backend.Draw {
			if d.TopK > 0 {
				d.TopK++
			}
			return d
		})}},
		{"the temperature multiplies", "Sample", "ids:", &mutant{sample: drawing(func(d backend.Draw) backend.Draw {
			if d.Temperature > 0 {
				d.Temperature = 1 / d.Temperature
			}
			return d
		})}},
		{"the largest left out of the sum", "CrossEntropy", "nll:", &mutant{crossEntropy: func(nll, x, ids backend.Buffer, t, v int) {
			r.CrossEntropy(nll, x, ids, t, v)
			for i := range t {
				host(nll)[i] += slices.Max(host(x)[i*v : (i+1)*v])
			}
		}}},
		{"adds to the old sum", "SumSquares", "out", &mutant{sumSquares: func(out backend.Buffer, xs []backend.Buffer) {
			old := append([]float32{}, host(out)...)
			r.SumSquares(out, xs)
			for i, v := range old[:len(xs)] {
				host(out)[i] += v
			}
		}}},
		{"an empty tensor has no sum", "SumSquares", "out", &mutant{sumSquares: func(out backend.Buffer, xs []backend.Buffer) {
			for i, x := range xs {
				if x.Len() > 0 {
					r.SumSquares(out.Slice(i, i+1), xs[i:i+1])
				}
			}
		}}},
		{"decay after the step", "AdamW", "p0:", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			for _, t := range tensors {
				decay := 1 - s.LR*t.Rate*t.WeightDecay
				t.WeightDecay = 0
				r.AdamW([]backend.AdamWTensor{t}, s)
				for i := range host(t.P) {
					host(t.P)[i] *= float32(decay)
				}
			}
		}}},
		{"steps count from zero", "AdamW", "p0:", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			s.Step++
			r.AdamW(tensors, s)
		}}},
		{"the gradient is not scaled", "AdamW", "m0:", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			s.GradScale = 1
			r.AdamW(tensors, s)
		}}},
		{"the first gradients are kept", "AdamW", "again", &mutant{adamw: func() func([]backend.AdamWTensor, backend.AdamWStep) {
			seen := map[backend.Buffer]backend.Buffer{}
			return func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
				for _, t := range tensors {
					if _, ok := seen[t.P]; !ok {
						seen[t.P] = r.Alloc(tensor.F32, t.G.Len())
						r.Copy(seen[t.P], t.G)
					}
					t.G = seen[t.P]
					r.AdamW([]backend.AdamWTensor{t}, s)
				}
			}
		}()}},
		{"one rate for all", "AdamW", "p0:", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			for _, t := range tensors {
				t.Rate = 1
				r.AdamW([]backend.AdamWTensor{t}, s)
			}
		}}},
		{"bf16 moments to the nearest", "AdamW", "codes", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			for _, t := range tensors {
				if t.Moments.Form != backend.MomentsBF16 {
					continue
				}
				exact := t
				exact.Moments = backend.NewMoments(r, backend.MomentsF32, t.P.Len())
				for i, b := range []backend.Buffer{t.Moments.M, t.Moments.V} {
					to := host([]backend.Buffer{exact.Moments.M, exact.Moments.V}[i])
					for j := range to {
						to[j] = math.Float32frombits(uint32(b.(*backend.HostBuffer).I[j/2]) >> (16 * (j % 2)) << 16)
					}
				}
				r.AdamW([]backend.AdamWTensor{exact}, s)
				for i, b := range []backend.Buffer{t.Moments.M, t.Moments.V} {
					words := b.(*backend.HostBuffer).I
					clear(words)
					for j, v := range host([]backend.Buffer{exact.Moments.M, exact.Moments.V}[i]) {
						words[j/2] |= int32(uint32(weights.ToBFloat16(v)) << (16 * (j % 2)))
					}
				}
			}
		}}},
		{"bf16 moments of a part round as the whole's first", "AdamW", "codes", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			for _, t := range tensors {
				t.From = 0
				r.AdamW([]backend.AdamWTensor{t}, s)
			}
		}}},
		{"8-bit codes lose the largest of a block", "AdamW", "codes", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			r.AdamW(tensors, s)
			for _, t := range tensors {
				if t.Moments.MTop != nil {
					words := t.Moments.M.(*backend.HostBuffer).I
					for i, w := range words {
						for j, c := range order8(w) {
							if c == 255 {
								words[i] ^= 0x55 << (8 * j)
							}
						}
					}
				}
			}
		}}},
		{"small second moments become zero", "AdamW", "codes", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			r.AdamW(tensors, s)
			for _, t := range tensors {
				if t.Moments.VTop != nil {
					words := t.Moments.V.(*backend.HostBuffer).I
					for i, w := range words {
						for j, c := range order8(w) {
							if c <= 1 {
								words[i] &^= 0xff << (8 * j)
							}
						}
					}
				}
			}
		}}},
		{"rounded towards zero", "AdamW", "rounded", &mutant{adamw: func(tensors []backend.AdamWTensor, s backend.AdamWStep) {
			r.AdamW(tensors, s)
			for _, t := range tensors {
				if t.Rounded != nil {
					for i, p := range host(t.P) {
						host(t.Rounded)[i] = math.Float32frombits(math.Float32bits(p) &^ 0xffff)
					}
				}
			}
		}}},
		{"memory that is used again is dirty", "Memory", "Alloc", &mutant{alloc: r.AllocUninit}},
	} {
		m.b.Backend = r
		t.Run(m.op+"/"+m.name, func(t *testing.T) {
			if failed, ok := caught(m.b, m.op+"/", "", m.want); !ok {
				t.Errorf("%d failures, none of them with %q: %.300q", len(failed), m.want, failed)
			}
		})
	}
}

// Finite differences alone, without ref, tell a gradient that is two percent too large.
func TestGradientMutants(t *testing.T) {
	r := ref.New()
	grow := func(bufs ...backend.Buffer) {
		for _, b := range bufs {
			for i := range host(b) {
				host(b)[i] *= 1.02
			}
		}
	}
	for op, b := range map[string]*mutant{
		"MatMul": {matmul: func(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
			r.MatMul(c, a, b, m, n, k, op, alpha, beta)
			if op != backend.NT {
				grow(c)
			}
		}},
		"EmbeddingBackward": {embBackward: func(dW, dY, ids backend.Buffer, t, c int) {
			r.EmbeddingBackward(dW, dY, ids, t, c)
			r.AddScaled(dW, dW, 0.02)
		}},
		"RMSNormBackward": {normBackward: func(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
			r.RMSNormBackward(dX, dW, dY, dSum, x, w, rstd, t, c)
			grow(dX)
		}},
		"LayerNormBackward": {lnBackward: func(dX, dW, dB, dY, dSum, x, w, mean, rstd backend.Buffer, t, c int) {
			r.LayerNormBackward(dX, dW, dB, dY, dSum, x, w, mean, rstd, t, c)
			grow(dX)
		}},
		"SumRows": {sumRows: func(dB, dY backend.Buffer, t, c int) {
			r.SumRows(dB, dY, t, c)
			r.AddScaled(dB, dB, 0.02)
		}},
		"ScaleColumnsBackward": {scBackward: func(dX, dM, dY, x, m, d backend.Buffer, t, c int) {
			r.ScaleColumnsBackward(dX, dM, dY, x, m, d, t, c)
			grow(dX)
		}},
		"GeGLUBackward": {geBackward: func(dGate, dUp, dY, gate, up backend.Buffer, n int, tanh bool) {
			r.GeGLUBackward(dGate, dUp, dY, gate, up, n, tanh)
			grow(dGate)
		}},
		"RoPE": {rope: func(y, x, pos, freqs backend.Buffer, t, heads, d int, p backend.Pairing, inverse bool) {
			r.RoPE(y, x, pos, freqs, t, heads, d, p, inverse)
			if inverse {
				grow(y)
			}
		}},
		"SwiGLUBackward": {gluBackward: func(dGate, dUp, dY, gate, up backend.Buffer, n int) {
			r.SwiGLUBackward(dGate, dUp, dY, gate, up, n)
			grow(dUp)
		}},
		"AttentionBackward": {attBackward: func(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, s *backend.Segments, h, kh, d int, scale float32) {
			r.AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse, s, h, kh, d, scale)
			grow(dQ)
		}},
		"LinearCrossEntropy": {entropy: func(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32) {
			r.LinearCrossEntropy(nll, dX, dW, x, w, targets, weights, t, c, v, scale*1.02)
		}},
	} {
		b.Backend = r
		if failed, ok := caught(b, op+"/", "/gradient", "finite differences"); !ok {
			t.Errorf("%s: %.300q; wanted a difference from finite differences", op, failed)
		}
	}
}

// A backend that checks nothing lets a short operand through, or reads beyond it.
func TestShapeMutant(t *testing.T) {
	r := ref.New()
	b := &mutant{Backend: r, embForward: func(y, w, ids backend.Buffer, t, c int) {}}
	if failed, ok := caught(b, "Shapes/", "", "one element short"); !ok {
		t.Errorf("%.300q; wanted the operand that is short", failed)
	}
}

// A panic of the backend fails the check that met it, and no other.
func TestPanic(t *testing.T) {
	b := &mutant{Backend: ref.New(), fill: func(backend.Buffer, float32) { panic("out of order") }}
	for _, c := range Checks() {
		if c.Name != "Fill/values" && c.Name != "Copy/values" {
			continue
		}
		r := &Recorder{}
		guarded(r, c, b)
		if wrong := c.Name == "Fill/values"; wrong != (len(r.Failures) > 0) || wrong && !strings.Contains(r.Failures[0], "out of order") {
			t.Errorf("%s: %q", c.Name, r.Failures)
		}
	}
}
