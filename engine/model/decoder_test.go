package model

import (
	"context"
	"math"
	"slices"
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/ref"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

func refDevice(t *testing.T) backend.Backend {
	t.Helper()
	dev, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

func tiny(tied, interleaved bool) Config {
	return Config{ModelType: "llama", VocabSize: 19, HiddenSize: 12, IntermediateSize: 20, NumHiddenLayers: 2,
		NumAttentionHeads: 4, NumKeyValueHeads: 2, HeadDim: 6, MaxPositionEmbeddings: 32, RMSNormEps: 1e-5,
		RopeTheta: 100, TieWordEmbeddings: tied, InitializerRange: 0.4, RopeInterleaved: interleaved}
}

// packed returns documents of random ids, their targets (the first position of each is not supervised) and the input.
func packed(r *tensor.RNG, vocab int, lens ...int) (Input, []int32) {
	in := Input{Segments: &backend.Segments{}}
	var targets []int32
	for _, n := range lens {
		at := len(in.IDs)
		in.Segments.List = append(in.Segments.List, backend.Segment{QStart: at, QLen: n, KStart: at, KLen: n})
		for i := range n {
			in.IDs = append(in.IDs, int32(r.Intn(vocab)))
			in.Positions = append(in.Positions, int32(i))
			target := int32(r.Intn(vocab))
			if i == 0 || i == n-1 {
				target = backend.IgnoreIndex
			}
			targets = append(targets, target)
		}
	}
	return in, targets
}

func lossOf(t *testing.T, m *Model, in Input, targets []int32, record bool, scale float32) float64 {
	t.Helper()
	tape := grad.New(m.dev, record)
	defer tape.Free()
	nll, n := m.Loss(tape, in, targets, nil, scale)
	if record {
		tape.Backward()
	}
	host := make([]float32, n)
	if err := m.dev.Download(host, nll); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, x := range host {
		sum += float64(x)
	}
	return sum
}

// Every parameter's gradient agrees with central differences, tied and untied, in both pairings, with and without
// adapters on some or all layers.
func TestGradientsAreFiniteDifferences(t *testing.T) {
	dev := refDevice(t)
	cases := []struct {
		name              string
		tied, interleaved bool
		lora              []string
	}{
		{"tied", true, false, nil},
		{"untied, interleaved", false, true, nil},
		{"adapters everywhere", true, false, Targets},
		{"adapter on up_proj only", true, false, []string{"up_proj"}},
		{"adapter on k_proj only", false, false, []string{"k_proj"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, err := New(dev, tiny(c.tied, c.interleaved), 3)
			if err != nil {
				t.Fatal(err)
			}
			params := m.Params()
			r := tensor.NewRNG(5, "test")
			if c.lora != nil {
				if err := m.AddAdapter(LoRA{Rank: 2, Targets: c.lora}, 1); err != nil {
					t.Fatal(err)
				}
				params = m.Adapter.Params()
				for _, p := range params { // B starts at zero, where A has no gradient
					x := make([]float32, p.Len())
					for i := range x {
						x[i] = float32(0.3 * r.Norm())
					}
					dev.Upload(p.Value, x)
				}
			}
			in, targets := packed(r, m.Config.VocabSize, 5, 1, 7)
			for _, p := range params {
				p.Grad = dev.Alloc(tensor.F32, p.Len())
			}
			const scale = 0.25
			lossOf(t, m, in, targets, true, scale)
			for _, p := range params {
				g, x := make([]float32, p.Len()), make([]float32, p.Len())
				if err := dev.Download(g, p.Grad); err != nil {
					t.Fatal(err)
				}
				if err := dev.Download(x, p.Value); err != nil {
					t.Fatal(err)
				}
				largest := 0.0
				for _, v := range g {
					largest = max(largest, math.Abs(float64(v)))
				}
				if largest == 0 {
					t.Errorf("%s has no gradient", p.Name)
				}
				for range 6 {
					i := r.Intn(len(x))
					const h = 4e-3
					at := func(d float32) float64 {
						old := x[i]
						x[i] += d
						dev.Upload(p.Value, x)
						x[i] = old
						return scale * lossOf(t, m, in, targets, false, 1)
					}
					want := (at(h) - at(-h)) / (2 * h)
					dev.Upload(p.Value, x)
					if diff := math.Abs(float64(g[i]) - want); diff > 2e-3*(1+largest) {
						t.Errorf("%s[%d]: gradient %g, central difference %g", p.Name, i, g[i], want)
					}
				}
			}
		})
	}
}

// The loss of a pack is the sum of its documents' losses, and so is every gradient.
func TestPackIsTheSumOfItsDocuments(t *testing.T) {
	dev := refDevice(t)
	m, err := New(dev, tiny(true, false), 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Params() {
		p.Grad = dev.Alloc(tensor.F32, p.Len())
	}
	in, targets := packed(tensor.NewRNG(1, "pack"), m.Config.VocabSize, 3, 9, 4, 1)
	whole := lossOf(t, m, in, targets, true, 1)
	grads := map[string][]float32{}
	for _, p := range m.Params() {
		g := make([]float32, p.Len())
		if err := dev.Download(g, p.Grad); err != nil {
			t.Fatal(err)
		}
		grads[p.Name] = g
		dev.Fill(p.Grad, 0)
	}
	sum := 0.0
	for _, s := range in.Segments.List {
		one := Input{IDs: in.IDs[s.QStart : s.QStart+s.QLen], Positions: in.Positions[s.QStart : s.QStart+s.QLen],
			Segments: &backend.Segments{List: []backend.Segment{{QLen: s.QLen, KLen: s.QLen}}}}
		if tg := targets[s.QStart : s.QStart+s.QLen]; slices.Max(tg) >= 0 {
			sum += lossOf(t, m, one, tg, true, 1)
		}
	}
	if math.Abs(whole-sum) > 1e-6*whole {
		t.Errorf("the pack's loss is %.9g, the sum of its documents' %.9g", whole, sum)
	}
	for _, p := range m.Params() {
		g := make([]float32, p.Len())
		if err := dev.Download(g, p.Grad); err != nil {
			t.Fatal(err)
		}
		for i := range g {
			if d := math.Abs(float64(g[i] - grads[p.Name][i])); d > 1e-5*(1+math.Abs(float64(g[i]))) {
				t.Fatalf("%s[%d]: %g packed, %g alone", p.Name, i, grads[p.Name][i], g[i])
			}
		}
	}
}

// Greedy text does not depend on the batch, nor on the cache: it is what a forward pass over the whole sequence gives.
func TestGenerateDoesNotDependOnBatch(t *testing.T) {
	dev := refDevice(t)
	m, err := New(dev, tiny(true, false), 9)
	if err != nil {
		t.Fatal(err)
	}
	r := tensor.NewRNG(2, "prompts")
	var prompts [][]int32
	for _, n := range []int{2, 9, 1, 5, 14, 3, 3} {
		var p []int32
		for range n {
			p = append(p, int32(r.Intn(m.Config.VocabSize)))
		}
		prompts = append(prompts, p)
	}
	const maxNew = 8
	want := make([][]int32, len(prompts))
	stops := []int32{4, 7}
	for i, p := range prompts {
		ids := slices.Clone(p)
		for range maxNew {
			in := Input{IDs: ids, Segments: &backend.Segments{List: []backend.Segment{{QLen: len(ids), KLen: len(ids)}}}}
			for j := range ids {
				in.Positions = append(in.Positions, int32(j))
			}
			next, _, err := m.draw(in, []int32{int32(len(ids) - 1)}, m.greedy(1), "prompt", []int{i})
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(stops, next[0]) {
				break
			}
			ids = append(ids, next[0])
			want[i] = append(want[i], next[0])
		}
	}
	for _, batch := range []int{1, 2, 3, 16} {
		got, err := m.Generate(context.Background(), prompts, Greedy{MaxNew: maxNew, Stops: stops, Batch: batch}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !slices.Equal(got[i], want[i]) {
				t.Errorf("batch %d, prompt %d: %v, wanted %v", batch, i, got[i], want[i])
			}
		}
	}
}

// An adapter adds Alpha/Rank·B·A, and merging it changes no logit by more than rounding.
func TestMerge(t *testing.T) {
	dev := refDevice(t)
	m, err := New(dev, tiny(true, false), 4)
	if err != nil {
		t.Fatal(err)
	}
	in, targets := packed(tensor.NewRNG(3, "merge"), m.Config.VocabSize, 8)
	base := lossOf(t, m, in, targets, false, 1)
	if err := m.AddAdapter(LoRA{Rank: 8, Alpha: 16}, 1); err != nil {
		t.Fatal(err)
	}
	if m.Adapter.Scale() != 2 {
		t.Errorf("rank 8, alpha 16: scale %g, wanted 2", m.Adapter.Scale())
	}
	if got := lossOf(t, m, in, targets, false, 1); got != base {
		t.Errorf("a new adapter changed the loss from %g to %g", base, got)
	}
	for i, p := range m.Adapter.Params() {
		x := make([]float32, p.Len())
		r := tensor.NewRNG(int64(i), "fill")
		for j := range x {
			x[j] = float32(0.2 * r.Norm())
		}
		dev.Upload(p.Value, x)
	}
	with := lossOf(t, m, in, targets, false, 1)
	if math.Abs(with-base) < 1e-3 {
		t.Errorf("the adapter changes nothing: %g", with)
	}
	whole, err := m.Merge()
	if err != nil {
		t.Fatal(err)
	}
	if merged := lossOf(t, whole, in, targets, false, 1); math.Abs(merged-with) > 1e-4 {
		t.Errorf("merged: loss %g, with the adapter beside: %g", merged, with)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	good := `"model_type":"llama","vocab_size":8,"hidden_size":4,"intermediate_size":8,"num_hidden_layers":1,"num_attention_heads":2,"max_position_embeddings":8,"rms_norm_eps":1e-5`
	if c, err := ParseConfig([]byte("{" + good + `,"torch_dtype":"float32"}`)); err != nil || c.NumKeyValueHeads != 2 || c.HeadDim != 2 {
		t.Fatalf("%+v %v", c, err)
	}
	for _, bad := range []string{`"hidden_act":"gelu"`, `"attention_bias":1`, `"rope_scaling":{"type":"linear"}`, `"rope_scaling":{"rope_type":"yarn","factor":2}`, `"quantization_config":{}`, `"use_sliding_window":true`, `"sliding_window":4`, `"model_type":"mamba"`, `"num_key_value_heads":3`} {
		if _, err := ParseConfig([]byte("{" + good + "," + bad + "}")); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
