package model

import (
	"slices"
	"testing"

	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// Activations that are made again give the gradients of those that are kept, to the bit, in every family: for all weights
// and for an adapter's.
func TestRecomputeIsBitEqual(t *testing.T) {
	for name, c := range map[string]Config{"llama": tiny(true, false), "gpt2": gpt2Tiny(), "neox": neoxTiny()} {
		for _, rank := range []int{0, 2} {
			m, err := New(refDevice(t), c, 1)
			if err != nil {
				t.Fatal(name, err)
			}
			params := m.Params()
			if rank > 0 {
				if err := m.AddAdapter(LoRA{Rank: rank}, 1); err != nil {
					t.Fatal(err)
				}
				params = m.Adapter.Params()
			}
			in, targets := packed(tensor.NewRNG(1, "recompute"), c.VocabSize, 5, 1, 7)
			in.Noise = make([]float32, len(in.IDs)*c.HiddenSize)
			in.Noise[3] = 0.5
			run := func(recompute bool) (nll []float32, g [][]float32) {
				for _, p := range params {
					p.Grad = m.dev.Alloc(tensor.F32, p.Len())
				}
				in.Recompute = recompute
				tape := grad.New(m.dev, true)
				buf, n := m.Loss(tape, in, targets, nil, 1)
				tape.Backward()
				nll = make([]float32, n)
				m.dev.Download(nll, buf)
				tape.Free()
				for _, p := range params {
					x := make([]float32, p.Len())
					m.dev.Download(x, p.Grad)
					g = append(g, x)
					p.Grad = nil
				}
				return nll, g
			}
			a, ga := run(false)
			b, gb := run(true)
			if !slices.Equal(a, b) {
				t.Errorf("%s, rank %d: another loss", name, rank)
			}
			some := false
			for i, p := range params {
				if !slices.Equal(ga[i], gb[i]) {
					t.Errorf("%s, rank %d: another gradient of %s", name, rank, p.Name)
				}
				for _, x := range ga[i] {
					some = some || x != 0
				}
			}
			if !some {
				t.Errorf("%s, rank %d: all gradients are 0", name, rank)
			}
			in.Noise = nil
			if c, _ := run(true); slices.Equal(c, a) {
				t.Errorf("%s: noise changes no loss", name)
			}
		}
	}
}

func gpt2Tiny() Config {
	return Config{ModelType: "gpt2", VocabSize: 19, HiddenSize: 12, IntermediateSize: 20, NumHiddenLayers: 2, NumAttentionHeads: 4, NumKeyValueHeads: 4,
		HeadDim: 3, MaxPositionEmbeddings: 32, RMSNormEps: 1e-5, TieWordEmbeddings: true, InitializerRange: 0.4}
}

func neoxTiny() Config {
	return Config{ModelType: "gpt_neox", VocabSize: 19, HiddenSize: 12, IntermediateSize: 20, NumHiddenLayers: 2, NumAttentionHeads: 3, NumKeyValueHeads: 3,
		HeadDim: 4, MaxPositionEmbeddings: 32, RMSNormEps: 1e-5, RopeTheta: 100, InitializerRange: 0.4}
}
