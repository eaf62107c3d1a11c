package bench

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// Kernel is one operation of a device at one shape.
type Kernel struct {
	Name    string  `json:"name"`
	Shape   string  `json:"shape"`
	Flops   float64 `json:"flops"`  // operations of its products; 0 where there are none
	Bytes   float64 `json:"bytes"`  // that it must read and write
	Memory  float64 `json:"memory"` // bytes that these lie in: what is read and written again counts once
	Seconds float64 `json:"seconds"`
	Share   float64 `json:"share"` // the least time that the machine allows over Seconds; 0 where that is not known
}

// geometry is a model's sizes and the tokens of a pass.
type geometry struct{ t, c, h, kh, d, f, v, rank int }

var (
	largeGeometry = geometry{1024, 576, 9, 3, 64, 1536, 49152, 16}
	smallGeometry = geometry{64, 64, 4, 2, 16, 128, 512, 4}
)

// kernelCase is a kernel with what runs it.
type kernelCase struct {
	Kernel
	run func()
}

// shop makes kernel cases on a device and gives their memory back.
type shop struct {
	dev     backend.Backend
	buffers []backend.Buffer
}

// floats returns n numbers of ordinary size.
func (s *shop) floats(n int) backend.Buffer {
	b := s.dev.AllocUninit(tensor.F32, n)
	s.dev.Fill(b, 0.01)
	s.buffers = append(s.buffers, b)
	return b
}

// ints returns n whole numbers below limit.
func (s *shop) ints(n, limit int) backend.Buffer {
	host := make([]int32, n)
	for i := range host {
		host[i] = int32(i * 7 % limit)
	}
	b := s.dev.AllocUninit(tensor.I32, n)
	s.dev.UploadInts(b, host)
	s.buffers = append(s.buffers, b)
	return b
}

func (s *shop) free() {
	for _, b := range s.buffers {
		s.dev.Free(b)
	}
	s.buffers = nil
}

// MeasureKernels measures each operation of a device at the shapes of a training step and of generation, as shares of what the
// machine allows; each number is the best of several. machine may be nil where it is not the machine's processor that computes.
func MeasureKernels(ctx context.Context, dev backend.Backend, machine *Machine, small bool) ([]Kernel, error) {
	g, least := largeGeometry, 100*time.Millisecond
	if small {
		g, least = smallGeometry, time.Millisecond
	}
	var out []Kernel
	for _, make := range cases(g) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &shop{dev: dev}
		c := make(s)
		best, err := fastest(dev, c.run, least)
		s.free()
		if err != nil {
			return nil, fmt.Errorf("bench: %s: %w", c.Name, err)
		}
		c.Seconds = best
		if c.Memory == 0 {
			c.Memory = c.Bytes
		}
		if machine != nil {
			c.Share = machine.Possible(c.Flops, c.Bytes, c.Memory, strings.HasSuffix(dev.Name(), "-bf16")) / best
		}
		out = append(out, c.Kernel)
	}
	return out, nil
}

// fastest returns the seconds of the fastest of at least three runs, and more for as long as least.
func fastest(dev backend.Backend, run func(), least time.Duration) (float64, error) {
	run()
	if err := dev.Sync(); err != nil {
		return 0, err
	}
	best := math.Inf(1)
	for n, start := 0, time.Now(); n < 3 || time.Since(start) < least; n++ {
		from := time.Now()
		run()
		if err := dev.Sync(); err != nil {
			return 0, err
		}
		best = min(best, time.Since(from).Seconds())
	}
	return best, nil
}

// cases returns what makes each kernel case, in the order of the table.
func cases(g geometry) []func(s *shop) kernelCase {
	var all []func(s *shop) kernelCase
	product := func(name string, op backend.MatOp, m, n, k int, beta float32) {
		all = append(all, func(s *shop) kernelCase {
			a, b, c := s.floats(m*k), s.floats(n*k), s.floats(m*n)
			form := [...]string{"NT", "NN", "TN"}[op]
			bytes := 4 * float64(m*k+n*k+m*n)
			if beta != 0 {
				bytes += 4 * float64(m*n) // C is read as well
			}
			return kernelCase{Kernel{Name: "product, " + name, Shape: fmt.Sprintf("%s %d×%d×%d", form, m, n, k), Flops: 2 * float64(m) * float64(n) * float64(k), Bytes: bytes},
				func() { s.dev.MatMul(c, a, b, m, n, k, op, 1, beta) }}
		})
	}
	kv := g.kh * g.d
	product("query", backend.NT, g.t, g.c, g.c, 0)
	product("key", backend.NT, g.t, kv, g.c, 0)
	product("up", backend.NT, g.t, g.f, g.c, 0)
	product("down", backend.NT, g.t, g.c, g.f, 0)
	product("to up's input", backend.NN, g.t, g.c, g.f, 0)
	product("to up's weights", backend.TN, g.f, g.c, g.t, 1)
	product("to query's weights", backend.TN, g.c, g.c, g.t, 1)
	product("logits", backend.NT, g.t/4, g.v, g.c, 0)
	product("adapter A", backend.NT, g.t, g.rank, g.c, 0)
	product("adapter B", backend.NT, g.t, g.c, g.rank, 1)
	product("to adapter A", backend.TN, g.rank, g.c, g.t, 1)
	product("to adapter B", backend.TN, g.c, g.rank, g.t, 1)
	product("up, 1 token", backend.NT, 1, g.f, g.c, 0)
	product("up, 32 tokens", backend.NT, 32, g.f, g.c, 0)
	product("logits, 1 token", backend.NT, 1, g.v, g.c, 0)

	attention := func(name string, list []backend.Segment, shape string, backward bool) {
		all = append(all, func(s *shop) kernelCase {
			q, k := 0, 0
			for _, x := range list {
				q, k = max(q, x.QStart+x.QLen), max(k, x.KStart+x.KLen)
			}
			segs := &backend.Segments{List: list}
			flops, scale := backend.AttentionWork(segs, g.h, g.d), float32(1/math.Sqrt(float64(g.d)))
			qs, ks, vs, o := s.floats(q*g.h*g.d), s.floats(k*kv), s.floats(k*kv), s.floats(q*g.h*g.d)
			own := float64(q * g.h * g.d)
			if !backward {
				return kernelCase{Kernel{Name: "attention, " + name, Shape: shape, Flops: flops, Bytes: 4 * (2*own + 2*float64(k*kv))},
					func() { s.dev.AttentionForward(o, nil, qs, ks, vs, segs, g.h, g.kh, g.d, scale) }}
			}
			lse := s.floats(q * g.h)
			s.dev.AttentionForward(o, lse, qs, ks, vs, segs, g.h, g.kh, g.d, scale)
			dq, dk, dv, do := s.floats(q*g.h*g.d), s.floats(k*kv), s.floats(k*kv), s.floats(q*g.h*g.d)
			return kernelCase{Kernel{Name: "attention backward, " + name, Shape: shape, Flops: 2.5 * flops, Bytes: 4 * (4*own + 4*float64(k*kv))},
				func() {
					s.dev.AttentionBackward(dq, dk, dv, do, qs, ks, vs, o, lse, segs, g.h, g.kh, g.d, scale)
				}}
		})
	}
	var rows, one, many []backend.Segment
	n := g.t / 4
	for i := range 4 {
		rows = append(rows, backend.Segment{QStart: i * n, QLen: n, KStart: i * n, KLen: n})
	}
	one = []backend.Segment{{QLen: 1, KLen: g.t / 2}}
	for i := range 32 {
		many = append(many, backend.Segment{QStart: i, QLen: 1, KStart: i * g.t / 2, KLen: g.t / 2})
	}
	whole := []backend.Segment{{QLen: g.t, KLen: g.t}}
	attention("4 rows", rows, fmt.Sprintf("4 × %d", n), false)
	attention("4 rows", rows, fmt.Sprintf("4 × %d", n), true)
	attention("1 row", whole, fmt.Sprintf("1 × %d", g.t), false)
	attention("1 row", whole, fmt.Sprintf("1 × %d", g.t), true)
	attention("1 token", one, fmt.Sprintf("1 of %d", g.t/2), false)
	attention("32 tokens", many, fmt.Sprintf("32 of %d", g.t/2), false)

	all = append(all, func(s *shop) kernelCase {
		x, w, dx, dw, nll, targets := s.floats(g.t*g.c), s.floats(g.v*g.c), s.floats(g.t*g.c), s.floats(g.v*g.c), s.floats(g.t), s.ints(g.t, g.v)
		return kernelCase{Kernel{Name: "cross-entropy", Shape: fmt.Sprintf("%d×%d×%d", g.t, g.v, g.c), Flops: 6 * float64(g.t) * float64(g.c) * float64(g.v),
			Bytes: 4 * float64(2*g.t*g.c+3*g.v*g.c)}, func() { s.dev.LinearCrossEntropy(nll, dx, dw, x, w, targets, nil, g.t, g.c, g.v, 1) }}
	})
	// pointwise operations on (t, c) or (t, f), by how many floats an element reads and writes
	pointwise := func(name string, width, floats int, prepare func(s *shop, n int) func()) {
		all = append(all, func(s *shop) kernelCase {
			n := g.t * width
			return kernelCase{Kernel{Name: name, Shape: fmt.Sprintf("%d×%d", g.t, width), Bytes: 4 * float64(floats*n)}, prepare(s, n)}
		})
	}
	pointwise("RMSNorm with residual", g.c, 4, func(s *shop, n int) func() {
		y, sum, x, res, rstd, w := s.floats(n), s.floats(n), s.floats(n), s.floats(n), s.floats(g.t), s.floats(g.c)
		return func() { s.dev.RMSNormForward(y, sum, rstd, x, res, w, g.t, g.c, 1e-5) }
	})
	pointwise("RMSNorm backward", g.c, 4, func(s *shop, n int) func() {
		dx, dy, ds, x, rstd, w, dw := s.floats(n), s.floats(n), s.floats(n), s.floats(n), s.floats(g.t), s.floats(g.c), s.floats(g.c)
		return func() { s.dev.RMSNormBackward(dx, dw, dy, ds, x, w, rstd, g.t, g.c) }
	})
	pointwise("RoPE", g.h*g.d, 2, func(s *shop, n int) func() {
		y, x, pos, freqs := s.floats(n), s.floats(n), s.ints(g.t, g.t), s.floats(g.d/2)
		return func() { s.dev.RoPE(y, x, pos, freqs, g.t, g.h, g.d, backend.Half, false) }
	})
	pointwise("SwiGLU", g.f, 3, func(s *shop, n int) func() {
		y, a, b := s.floats(n), s.floats(n), s.floats(n)
		return func() { s.dev.SwiGLUForward(y, a, b, n) }
	})
	pointwise("SwiGLU backward", g.f, 5, func(s *shop, n int) func() {
		da, db, dy, a, b := s.floats(n), s.floats(n), s.floats(n), s.floats(n), s.floats(n)
		return func() { s.dev.SwiGLUBackward(da, db, dy, a, b, n) }
	})
	pointwise("embedding", g.c, 2, func(s *shop, n int) func() {
		y, w, ids := s.floats(n), s.floats(g.v*g.c), s.ints(g.t, g.v)
		return func() { s.dev.EmbeddingForward(y, w, ids, g.t, g.c) }
	})
	// the optimizer goes over all of the embedding's weights
	weights := func(name string, floats, arrays int, prepare func(s *shop, n int) func()) {
		all = append(all, func(s *shop) kernelCase {
			n := g.v * g.c
			return kernelCase{Kernel{Name: name, Shape: fmt.Sprint(n), Bytes: 4 * float64(floats*n), Memory: 4 * float64(arrays*n)}, prepare(s, n)}
		})
	}
	weights("AdamW", 7, 4, func(s *shop, n int) func() {
		p, m, v, d := s.floats(n), s.floats(n), s.floats(n), s.floats(n)
		list := []backend.AdamWTensor{{P: p, G: d, Moments: backend.Moments{M: m, V: v}, Rate: 1}}
		return func() {
			s.dev.AdamW(list, backend.AdamWStep{LR: 1e-4, Beta1: .9, Beta2: .999, Eps: 1e-8, GradScale: 1, Step: 10})
		}
	})
	weights("gradient norm", 1, 1, func(s *shop, n int) func() {
		out, x := s.floats(1), []backend.Buffer{s.floats(n)}
		return func() { s.dev.SumSquares(out, x) }
	})
	weights("fill", 1, 1, func(s *shop, n int) func() { x := s.floats(n); return func() { s.dev.Fill(x, 0) } })
	all = append(all, func(s *shop) kernelCase {
		n, q := g.v*g.c, backend.Q8_0
		y, codes, scales := s.floats(n), s.ints(q.Codes(n), 1<<20), s.floats(q.Scales(n))
		return kernelCase{Kernel{Name: "dequantise q8_0", Shape: fmt.Sprint(n), Bytes: 4 * float64(n+q.Codes(n)+q.Scales(n))},
			func() { s.dev.Dequantize(y, codes, scales, n, q) }}
	})
	return all
}
