package cpu

import (
	"fmt"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

// TestManyItems runs the operations that go row by row at sizes that make several items of them, which the sizes of
// conform do not, and RoPE at a position beyond its table.
func TestManyItems(t *testing.T) {
	const n, c, v, h, d = 401, 90, 11, 3, 30
	run := func(b backend.Backend) map[string][]float32 {
		rng := numbers{tensor.NewRNG(5, "rows")}
		x, y, w := up(b, rng.floats(n*c, 1)), up(b, rng.floats(n*c, 1)), up(b, rng.floats(v*c, 1))
		norm, rstd := up(b, rng.floats(c, 1)), up(b, make([]float32, n))
		ids, rows, pos := make([]int32, n), make([]int32, n), make([]int32, n)
		for i := range ids {
			ids[i], rows[i], pos[i] = int32(rng.rng.Intn(v)), int32((i*7)%n), int32(i)
		}
		pos[3] = maxTabled + 5 // beyond the table
		freqs := up(b, []float32{1, .5, .25, .125, .0625, 1, .5, .25, .125, .0625, 1, .5, .25, .125, .0625})
		idsB, rowsB, posB := upInts(b, ids), upInts(b, rows), upInts(b, pos)
		out := map[string][]float32{}
		keep := func(name string, bufs ...backend.Buffer) {
			for i, x := range bufs {
				out[fmt.Sprint(name, " ", i)] = down(b, x)
			}
		}
		o, p, dw := b.Alloc(tensor.F32, n*c), b.Alloc(tensor.F32, n*c), up(b, make([]float32, c))
		b.RMSNormForward(o, nil, rstd, x, nil, norm, n, c, 1e-5)
		keep("RMSNormForward", o, rstd)
		b.RMSNormForward(o, p, rstd, x, y, norm, n, c, 1e-5)
		keep("RMSNormForward with residual", o, p, rstd)
		b.RMSNormBackward(o, dw, y, x, p, norm, rstd, n, c)
		keep("RMSNormBackward", o, dw)
		b.RMSNormBackward(o, nil, y, nil, p, norm, rstd, n, c)
		keep("RMSNormBackward alone", o)
		for _, pairing := range []backend.Pairing{backend.Half, backend.Interleaved} {
			for _, inverse := range []bool{false, true} {
				b.RoPE(o, x, posB, freqs, n, h, d, pairing, inverse)
				keep(fmt.Sprint("RoPE ", pairing, inverse), o)
			}
		}
		b.SwiGLUForward(o, x, y, n*c)
		keep("SwiGLUForward", o)
		b.SwiGLUBackward(o, p, y, x, o, n*c)
		keep("SwiGLUBackward", o, p)
		b.EmbeddingForward(o, w, idsB, n, c)
		keep("EmbeddingForward", o)
		b.EmbeddingBackward(w, x, idsB, n, c)
		keep("EmbeddingBackward", w)
		b.Gather(o, x, rowsB, n, c)
		b.Scatter(p, x, rowsB, n, c)
		keep("Gather, Scatter", o, p)
		b.AddScaled(o, x, -.5)
		b.Copy(p, o)
		b.Fill(o.Slice(5, 9), 3)
		keep("AddScaled, Copy, Fill", o, p)
		b.SumSquares(rstd, []backend.Buffer{x})
		keep("SumSquares", rstd.Slice(0, 1))
		x.(*backend.HostBuffer).F[c+7], x.(*backend.HostBuffer).F[c+9] = 50, 50
		draws := make([]backend.Draw, n)
		for i := range draws {
			draws[i] = backend.Draw{Temperature: float64(i % 3), TopK: i % 5, U: .3}
		}
		b.Sample(idsB, x, draws, c)
		drawn := make([]int32, n)
		b.DownloadInts(drawn, idsB)
		for _, id := range drawn {
			out["Sample"] = append(out["Sample"], float32(id))
		}
		b.CrossEntropy(rstd, x, idsB, n, c)
		keep("CrossEntropy", rstd)
		v := up(b, slices.Repeat([]float32{.1}, n*c))
		b.AdamW([]backend.AdamWTensor{{P: o, G: y, Moments: backend.Moments{M: p, V: v}, Rate: 1, WeightDecay: .1}},
			backend.AdamWStep{LR: .1, Beta1: .9, Beta2: .95, Eps: 1e-8, GradScale: .5, Step: 2})
		keep("AdamW", o, p, v)
		return out
	}
	want := run(ref.New())
	each(t, func(t *testing.T, k *kernels) {
		got := run(newBackend(2, k))
		for name := range want {
			near(t, name, got[name], want[name], 2e-6)
		}
	})
}
