package cuda

import (
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// BenchmarkCardOptimizer says what share of the card's bandwidth the passes of the optimizer and rows of packed embeddings reach, and
// how fast offloaded moments come and go. It asserts nothing.
func BenchmarkCardOptimizer(bench *testing.B) {
	b := openFirst(bench)
	bench.Log(b.Info())
	const tensors, n = 64, 1 << 21 // many, as a model has
	some := rounded(tensor.NewRNG(1, "bench"), n)
	buf := func() backend.Buffer {
		x := b.AllocUninit(tensor.F32, n)
		b.Upload(x, some)
		return x
	}
	var grads []backend.Buffer
	var list []backend.AdamWTensor
	for range tensors {
		g := buf()
		grads, list = append(grads, g), append(list, backend.AdamWTensor{P: buf(), G: g, Rate: 1})
	}
	out := b.AllocUninit(tensor.F32, tensors)
	t := timed(bench, b, func() { b.SumSquares(out, grads) })
	bench.Logf("squares of %d tensors of %d: %.0f GB/s", tensors, n, 4*n*tensors/t/1e9)
	step := backend.AdamWStep{LR: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, GradScale: 1, Step: 10}
	for _, form := range []backend.MomentForm{backend.MomentsF32, backend.MomentsBF16, backend.Moments8} {
		for i := range list {
			list[i].Moments = backend.NewMoments(b, form, n)
			list[i].Moments.Clear(b)
		}
		t := timed(bench, b, func() { b.AdamW(list, step) })
		bench.Logf("AdamW, moments %s: %.0f GB/s", form, tensors*(12*n+2*float64(form.Bytes(n)))/t/1e9)
		for i := range list {
			for _, x := range list[i].Moments.Buffers() {
				b.Free(x)
			}
		}
	}
	away, here := backend.Offload(b, tensor.F32, n), b.AllocUninit(tensor.F32, n)
	t = timed(bench, b, func() {
		for range 16 {
			away.Fetch(here, 0)
		}
	})
	bench.Logf("moments from locked memory: %.1f GB/s", 16*4*n/t/1e9)
	t = timed(bench, b, func() {
		for range 16 {
			if err := away.Store(here, 0); err != nil {
				bench.Fatal(err)
			}
		}
	})
	bench.Logf("moments to locked memory: %.1f GB/s", 16*4*n/t/1e9)
	const T, C, V = 4096, 2048, 128256
	for _, q := range backend.Quants {
		codes, scales := b.Alloc(tensor.I32, q.Codes(V*C)), b.Alloc(tensor.F32, q.Scales(V*C))
		y, ids := b.AllocUninit(tensor.F32, T*C), b.AllocUninit(tensor.I32, T)
		rows := make([]int32, T)
		for i := range rows {
			rows[i] = int32(i * 31 % V)
		}
		b.UploadInts(ids, rows)
		t := timed(bench, b, func() { b.EmbeddingPacked(y, codes, scales, ids, T, C, V, q) })
		bench.Logf("%d rows of a table in %s: %.2f ms, %.0f GB/s", T, q, 1e3*t, T*C*(4+q.Bits()/8)/t/1e9)
		for _, x := range []backend.Buffer{codes, scales, y, ids} {
			b.Free(x)
		}
	}
}
