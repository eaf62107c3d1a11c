package cpu

import (
	"fmt"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// The two geometries that the backend is tuned for.
var geometries = []struct {
	name              string
	t                 int
	c, h, kh, d, f, v int
}{
	{"smollm2", 1024, 576, 9, 3, 64, 1536, 49152},
	{"small", 2000, 192, 6, 3, 32, 512, 4096},
}

func benchKernels(b *testing.B, f func(b *testing.B, d *Backend)) {
	for _, k := range available() {
		if k == &generic && testing.Short() {
			continue
		}
		b.Run(k.name, func(b *testing.B) { f(b, newBackend(0, k)) })
	}
}

func gflops(b *testing.B, flops float64) {
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func random(d *Backend, n int) backend.Buffer {
	return up(d, numbers{tensor.NewRNG(1, "bench")}.floats(n, 1))
}

// BenchmarkPeak measures what the largest tile does out of the first cache on one thread: the bound for MatMul.
func BenchmarkPeak(b *testing.B) {
	for _, k := range available() {
		b.Run(k.name, func(b *testing.B) {
			x, y, c := make([]float32, 256*k.rows), make([]float32, 256*k.width()+1024), make([]float32, k.rows*k.width())
			for b.Loop() {
				for range 100 {
					k.tiles[0][1](256, &x[0], k.rows, &y[0], k.width(), &c[0], k.width(), 1, 1, 0)
				}
			}
			gflops(b, 100*2*256*float64(k.rows*k.width()))
		})
	}
}

func BenchmarkMatMul(b *testing.B) {
	type shape struct {
		name    string
		m, n, k int
		op      backend.MatOp
	}
	var shapes []shape
	for _, g := range geometries {
		n := g.name + "/"
		shapes = append(shapes,
			shape{n + "q", g.t, g.c, g.c, backend.NT},
			shape{n + "kv", g.t, g.kh * g.d, g.c, backend.NT},
			shape{n + "up", g.t, g.f, g.c, backend.NT},
			shape{n + "down", g.t, g.c, g.f, backend.NT},
			shape{n + "dXup", g.t, g.c, g.f, backend.NN},
			shape{n + "dWup", g.f, g.c, g.t, backend.TN},
			shape{n + "dWq", g.c, g.c, g.t, backend.TN},
			shape{n + "logits", 256, g.v, g.c, backend.NT},
			shape{n + "dlogits", 256, g.c, g.v, backend.NN},
			shape{n + "dWlogits", g.v, g.c, 256, backend.TN},
			shape{n + "loraA", g.t, 16, g.c, backend.NT},
			shape{n + "loraB", g.t, g.c, 16, backend.NT},
			shape{n + "loradA", 16, g.c, g.t, backend.TN},
			shape{n + "loradB", g.c, 16, g.t, backend.TN},
			shape{n + "loradX", g.t, 16, g.c, backend.NN},
			shape{n + "decode1", 1, g.f, g.c, backend.NT},
			shape{n + "decode8", 8, g.f, g.c, backend.NT},
			shape{n + "decode32", 32, g.f, g.c, backend.NT},
		)
	}
	benchKernels(b, func(b *testing.B, d *Backend) {
		for _, s := range shapes {
			b.Run(fmt.Sprintf("%s_%dx%dx%d", s.name, s.m, s.n, s.k), func(b *testing.B) {
				x, y, c := random(d, s.m*s.k), random(d, s.n*s.k), random(d, s.m*s.n)
				beta := float32(0)
				if s.op == backend.TN {
					beta = 1
				}
				b.ReportAllocs()
				for b.Loop() {
					d.MatMul(c, x, y, s.m, s.n, s.k, s.op, 1, beta)
				}
				gflops(b, 2*float64(s.m)*float64(s.n)*float64(s.k))
			})
		}
	})
}

// documents cuts t rows into segments of 20 to 200.
func documents(t int) *backend.Segments {
	rng := tensor.NewRNG(1, "documents")
	s := &backend.Segments{}
	for at := 0; at < t; {
		n := min(t-at, 20+rng.Intn(181))
		s.List = append(s.List, seg(at, n, at, n))
		at += n
	}
	return s
}

func BenchmarkAttention(b *testing.B) {
	benchKernels(b, func(b *testing.B, d *Backend) {
		for _, g := range geometries {
			for _, long := range []bool{false, true} {
				segs, name := documents(g.t), g.name+"/documents"
				if long {
					segs, name = &backend.Segments{List: []backend.Segment{seg(0, g.t, 0, g.t)}}, g.name+"/long"
				}
				flops := 0.0 // of the visible half
				for _, s := range segs.List {
					flops += 2 * float64(s.QLen) * float64(s.KLen+1) * float64(g.h*g.d)
				}
				nq, nk := g.t*g.h*g.d, g.t*g.kh*g.d
				q, k, v, o, lse := random(d, nq), random(d, nk), random(d, nk), random(d, nq), random(d, g.t*g.h)
				b.Run(name+"/forward", func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						d.AttentionForward(o, lse, q, k, v, segs, g.h, g.kh, g.d, 0.125)
					}
					gflops(b, flops)
				})
				dq, dk, dv, do := random(d, nq), random(d, nk), random(d, nk), random(d, nq)
				b.Run(name+"/backward", func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						d.AttentionBackward(dq, dk, dv, do, q, k, v, o, lse, segs, g.h, g.kh, g.d, 0.125)
					}
					gflops(b, 2.5*flops)
				})
			}
			for _, batch := range []int{1, 32} {
				segs := &backend.Segments{}
				for i := range batch {
					segs.List = append(segs.List, seg(i, 1, i*512, 512))
				}
				nq, nk := batch*g.h*g.d, batch*512*g.kh*g.d
				q, k, v, o := random(d, nq), random(d, nk), random(d, nk), random(d, nq)
				b.Run(fmt.Sprintf("%s/decode%d", g.name, batch), func(b *testing.B) {
					b.ReportAllocs()
					b.SetBytes(int64(8 * nk))
					for b.Loop() {
						d.AttentionForward(o, nil, q, k, v, segs, g.h, g.kh, g.d, 0.125)
					}
				})
			}
		}
	})
}

func BenchmarkLinearCrossEntropy(b *testing.B) {
	benchKernels(b, func(b *testing.B, d *Backend) {
		for _, g := range geometries {
			x, w, dx, dw, nll := random(d, g.t*g.c), random(d, g.v*g.c), random(d, g.t*g.c), random(d, g.v*g.c), random(d, g.t)
			ids := make([]int32, g.t)
			for i := range ids {
				ids[i] = int32(i * 7 % g.v)
			}
			targets := upInts(d, ids)
			b.Run(g.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					d.LinearCrossEntropy(nll, dx, dw, x, w, targets, nil, g.t, g.c, g.v, 1)
				}
				gflops(b, 6*float64(g.t)*float64(g.c)*float64(g.v))
			})
		}
	})
}

// BenchmarkElementwise reports nanoseconds per element of the operations that are bound by memory or by exp.
func BenchmarkElementwise(b *testing.B) {
	benchKernels(b, func(b *testing.B, d *Backend) {
		g := geometries[1]
		const n = 1 << 20
		x, y, z, u, v := random(d, n), random(d, n), random(d, n), random(d, n), random(d, n)
		t := n / g.c
		w, rstd, dw := random(d, g.c), random(d, t), random(d, g.c)
		pos := make([]int32, t)
		for i := range pos {
			pos[i] = int32(i % 200)
		}
		p, freqs := upInts(d, pos), random(d, g.d/2)
		ids, draws := upInts(d, pos), slices.Repeat([]backend.Draw{{Temperature: 0.8, TopP: 0.9, U: 0.5}}, t)
		emb := random(d, 200*g.c)
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"SwiGLUForward", func() { d.SwiGLUForward(z, x, y, n) }},
			{"SwiGLUBackward", func() { d.SwiGLUBackward(u, v, z, x, y, n) }},
			{"RMSNormForward", func() { d.RMSNormForward(z, u, rstd, x, y, w, t, g.c, 1e-5) }},
			{"RMSNormBackward", func() { d.RMSNormBackward(z, dw, x, u, y, w, rstd, t, g.c) }},
			{"RoPE", func() { d.RoPE(z, x, p, freqs, t, g.h, g.d, backend.Half, false) }},
			{"RoPEInterleaved", func() { d.RoPE(z, x, p, freqs, t, g.h, g.d, backend.Interleaved, false) }},
			{"EmbeddingForward", func() { d.EmbeddingForward(z, emb, ids, t, g.c) }},
			{"EmbeddingBackward", func() { d.EmbeddingBackward(emb, z, ids, t, g.c) }},
			{"AddScaled", func() { d.AddScaled(z, x, 1e-9) }},
			{"SumSquares", func() { d.SumSquares(w, []backend.Buffer{x}) }},
			{"Sample", func() { d.Sample(ids, x, draws, g.c) }},
			{"AdamW", func() {
				d.AdamW([]backend.AdamWTensor{{P: z, G: x, Moments: backend.Moments{M: u, V: v}, Rate: 1}}, backend.AdamWStep{LR: 1e-4, Beta1: .9, Beta2: .999, Eps: 1e-8, GradScale: 1, Step: 10})
			}},
		} {
			d.Fill(v, 1)
			b.Run(c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c.f()
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/n, "ns/element")
			})
		}
	})
}
