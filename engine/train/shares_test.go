package train

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// timed is a device that keeps the time of every operation, by the parts of a step.
type timed struct {
	backend.Backend
	of   map[string]time.Duration
	work map[string]float64 // floating-point operations of the products
}

func (d *timed) since(part string, start time.Time) { d.of[part] += time.Since(start) }

func (d *timed) MatMul(c, a, b backend.Buffer, m, n, k int, op backend.MatOp, alpha, beta float32) {
	part := "products"
	if min(m, n, k) <= 32 {
		part = "thin products"
	}
	d.work[part] += 2 * float64(m) * float64(n) * float64(k)
	defer d.since(part, time.Now())
	d.Backend.MatMul(c, a, b, m, n, k, op, alpha, beta)
}

func (d *timed) LinearCrossEntropy(nll, dX, dW, x, w, targets, weights backend.Buffer, t, c, v int, scale float32) {
	passes := 1.0
	if dX != nil {
		passes++
	}
	if dW != nil {
		passes++
	}
	d.work["cross-entropy"] += 2 * passes * float64(t) * float64(c) * float64(v)
	defer d.since("cross-entropy", time.Now())
	d.Backend.LinearCrossEntropy(nll, dX, dW, x, w, targets, weights, t, c, v, scale)
}

func (d *timed) AttentionForward(o, lse, q, k, v backend.Buffer, segs *backend.Segments, h, kh, n int, scale float32) {
	defer d.since("attention forward", time.Now())
	d.Backend.AttentionForward(o, lse, q, k, v, segs, h, kh, n, scale)
}

func (d *timed) AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse backend.Buffer, segs *backend.Segments, h, kh, n int, scale float32) {
	defer d.since("attention backward", time.Now())
	d.Backend.AttentionBackward(dQ, dK, dV, dO, q, k, v, o, lse, segs, h, kh, n, scale)
}

func (d *timed) RMSNormForward(y, sum, rstd, x, res, w backend.Buffer, t, c int, eps float32) {
	defer d.since("norms", time.Now())
	d.Backend.RMSNormForward(y, sum, rstd, x, res, w, t, c, eps)
}

func (d *timed) RMSNormBackward(dX, dW, dY, dSum, x, w, rstd backend.Buffer, t, c int) {
	defer d.since("norms", time.Now())
	d.Backend.RMSNormBackward(dX, dW, dY, dSum, x, w, rstd, t, c)
}

func (d *timed) RoPE(y, x, pos, freqs backend.Buffer, t, heads, n int, pairing backend.Pairing, inverse bool) {
	defer d.since("RoPE", time.Now())
	d.Backend.RoPE(y, x, pos, freqs, t, heads, n, pairing, inverse)
}

func (d *timed) SwiGLUForward(y, gate, up backend.Buffer, n int) {
	defer d.since("SwiGLU", time.Now())
	d.Backend.SwiGLUForward(y, gate, up, n)
}

func (d *timed) SwiGLUBackward(dGate, dUp, dY, gate, up backend.Buffer, n int) {
	defer d.since("SwiGLU", time.Now())
	d.Backend.SwiGLUBackward(dGate, dUp, dY, gate, up, n)
}

func (d *timed) EmbeddingForward(y, w, ids backend.Buffer, t, c int) {
	defer d.since("embedding", time.Now())
	d.Backend.EmbeddingForward(y, w, ids, t, c)
}

func (d *timed) EmbeddingBackward(dW, dY, ids backend.Buffer, t, c int) {
	defer d.since("embedding", time.Now())
	d.Backend.EmbeddingBackward(dW, dY, ids, t, c)
}

func (d *timed) Fill(x backend.Buffer, v float32) {
	defer d.since("fill, copy, add", time.Now())
	d.Backend.Fill(x, v)
}

func (d *timed) Copy(dst, src backend.Buffer) {
	defer d.since("fill, copy, add", time.Now())
	d.Backend.Copy(dst, src)
}

func (d *timed) AddScaled(y, x backend.Buffer, alpha float32) {
	defer d.since("fill, copy, add", time.Now())
	d.Backend.AddScaled(y, x, alpha)
}

func (d *timed) Gather(y, x, rows backend.Buffer, n, c int) {
	defer d.since("fill, copy, add", time.Now())
	d.Backend.Gather(y, x, rows, n, c)
}

func (d *timed) Scatter(y, x, rows backend.Buffer, n, c int) {
	defer d.since("fill, copy, add", time.Now())
	d.Backend.Scatter(y, x, rows, n, c)
}

func (d *timed) SumSquares(out, x backend.Buffer) {
	defer d.since("gradient norm", time.Now())
	d.Backend.SumSquares(out, x)
}

func (d *timed) AdamW(p, m, v, g backend.Buffer, s backend.AdamWStep) {
	defer d.since("AdamW", time.Now())
	d.Backend.AdamW(p, m, v, g, s)
}

func (d *timed) AllocUninit(dt tensor.DType, n int) backend.Buffer {
	defer d.since("memory", time.Now())
	return d.Backend.AllocUninit(dt, n)
}

// BenchmarkShares logs where the time of an update goes, by parts of a step as the tape calls them.
func BenchmarkShares(b *testing.B) {
	for _, s := range shapes {
		for _, mode := range []string{"full", "lora"} {
			b.Run(s.name+"/"+mode, func(b *testing.B) {
				dev, err := backend.Open("cpu")
				if err != nil {
					b.Fatal(err)
				}
				d := &timed{dev, map[string]time.Duration{}, map[string]float64{}}
				t, micro, _ := stepOf(b, d, s, mode)
				defer t.free()
				if _, err := t.Step(micro); err != nil {
					b.Fatal(err)
				}
				clear(d.of)
				clear(d.work)
				for b.Loop() {
					if _, err := t.Step(micro); err != nil {
						b.Fatal(err)
					}
				}
				all := b.Elapsed()
				parts := make([]string, 0, len(d.of))
				rest := all
				for part, took := range d.of {
					parts = append(parts, part)
					rest -= took
				}
				d.of["rest"] = rest
				parts = append(parts, "rest")
				slices.SortFunc(parts, func(a, b string) int { return int(d.of[b] - d.of[a]) })
				out := fmt.Sprintf("an update takes %.3f s\n", all.Seconds()/float64(b.N))
				for _, part := range parts {
					out += fmt.Sprintf("%-20s %6.1f ms %5.1f %%", part, d.of[part].Seconds()*1e3/float64(b.N), 100*d.of[part].Seconds()/all.Seconds())
					if w := d.work[part]; w > 0 {
						out += fmt.Sprintf("  %4.0f GFLOP/s", w/d.of[part].Seconds()/1e9)
					}
					out += "\n"
				}
				fmt.Print(out) // a log of more than ten lines is cut
			})
		}
	}
}
