package model_test

import (
	"path/filepath"
	"slices"
	"testing"

	"tunebook/engine/grad"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// Activations that are made again give the gradients of those that are kept, to the bit, in every family: for all weights
// and for an adapter's. Noise on the embeddings changes the loss.
func TestRecomputeInEveryFamily(t *testing.T) {
	eachFamily(t, func(t *testing.T, m *model.Model) {
		g := readGolden(t, filepath.Join("testdata", filepath.Base(m.Name)))
		params := m.Params()
		for _, adapted := range []bool{false, true} {
			if adapted {
				if err := m.AddAdapter(model.LoRA{Rank: 2, DoRA: true}, 1); err != nil {
					t.Fatal(err)
				}
				params = m.Adapter.Params()
			}
			run := func(recompute, noise bool) (nll []float32, grads [][]float32) {
				in := input(g.pack(0))
				in.Recompute = recompute
				if noise {
					in.Noise = make([]float32, len(in.IDs)*m.Config.HiddenSize)
					in.Noise[3] = 0.5
				}
				for _, p := range params {
					p.Grad = m.Device().Alloc(tensor.F32, p.Len())
				}
				tape := grad.New(m.Device(), true)
				defer tape.Free()
				buf := tape.LinearCrossEntropy(m.Forward(tape, in), tape.Param(m.Params()[0]), tape.Ints(in.IDs), nil, 1)
				tape.Backward()
				nll = make([]float32, len(in.IDs))
				if err := m.Device().Download(nll, buf); err != nil {
					t.Fatal(err)
				}
				for _, p := range params {
					x := make([]float32, p.Len())
					if err := m.Device().Download(x, p.Grad); err != nil {
						t.Fatal(err)
					}
					grads = append(grads, x)
					m.Device().Free(p.Grad)
					p.Grad = nil
				}
				return nll, grads
			}
			a, ga := run(false, false)
			b, gb := run(true, false)
			if !slices.Equal(a, b) {
				t.Errorf("adapted %v: another loss", adapted)
			}
			some := false
			for i, p := range params {
				if !slices.Equal(ga[i], gb[i]) {
					t.Errorf("adapted %v: another gradient of %s", adapted, p.Name)
				}
				some = some || slices.ContainsFunc(ga[i], func(x float32) bool { return x != 0 })
			}
			if !some {
				t.Errorf("adapted %v: all gradients are 0", adapted)
			}
			if c, _ := run(true, true); slices.Equal(c, a) {
				t.Error("noise changes no loss")
			}
		}
	})
}
