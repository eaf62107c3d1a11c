package cuda_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cuda"
	"tunebook/engine/backend/ref"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
	"tunebook/engine/train"
)

// trained is what a whole run leaves: the reports, and what the tuned model says.
type trained struct {
	losses, norms []float64
	text          [][]int32
	likely        []float64
}

// smallModel is one of two layers.
func smallModel(t testing.TB, dev backend.Backend) *model.Model {
	t.Helper()
	m, err := model.New(dev, model.Config{ModelType: "llama", VocabSize: 23, HiddenSize: 8, IntermediateSize: 12, NumHiddenLayers: 2,
		NumAttentionHeads: 2, NumKeyValueHeads: 1, HeadDim: 4, MaxPositionEmbeddings: 64, RMSNormEps: 1e-5, RopeTheta: 1e4,
		TieWordEmbeddings: true, InitializerRange: 0.2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fineTune trains a model of two layers for three updates on packed documents and lets it continue two prompts.
func fineTune(t testing.TB, dev backend.Backend, cfg train.Config, quantised bool) trained {
	t.Helper()
	m := smallModel(t, dev)
	if quantised {
		var err error
		if m, err = m.Quantize(backend.NF4); err != nil {
			t.Fatal(err)
		}
	}
	r := tensor.NewRNG(1, "documents")
	var seqs []data.Sequence
	for i := range 9 {
		s := data.Sequence{Row: i}
		for range 3 + r.Intn(9) {
			s.IDs = append(s.IDs, int32(r.Intn(23)))
		}
		s.Targets = append(slices.Clone(s.IDs[1:]), backend.IgnoreIndex)
		s.Targets[0] = backend.IgnoreIndex // the prompt
		seqs = append(seqs, s)
	}
	tr, err := train.New(m, seqs, []string{"documents"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out trained
	if err := tr.Run(context.Background(), func(r train.Report) {
		out.losses, out.norms = append(out.losses, r.Loss), append(out.norms, r.GradNorm)
	}); err != nil {
		t.Fatal(err)
	}
	if out.text, err = m.Generate(context.Background(), [][]int32{{1, 2, 3}, {7}}, model.Greedy{MaxNew: 4}, nil); err != nil {
		t.Fatal(err)
	}
	requests := []model.Request{
		{Prompt: []int32{4, 1}, MaxNew: 6, Sampling: model.Sampling{Temperature: 1, Seed: 3}},
		{Prompt: []int32{9, 2, 9}, MaxNew: 6, Sampling: model.Sampling{Temperature: 1.5, TopK: 12, TopP: 0.9, MinP: 0.05, RepetitionPenalty: 1.3, Seed: 4}},
		{Prompt: []int32{5}, MaxNew: 6, LogProbs: true, Sampling: model.Sampling{Temperature: 2, TopP: 0.8, RepetitionPenalty: 1.2}},
		{Prompt: []int32{5}, MaxNew: 6, Choices: [][]int32{{1, 2}, {3, 4}, {1, 7, 8}}, Sampling: model.Sampling{Temperature: 1, Seed: 1}},
	}
	answers, err := m.Sample(context.Background(), requests, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		out.text, out.likely = append(out.text, a.IDs), append(out.likely, a.LogProbs...)
	}
	return out
}

// TestTraining: whole runs, in full, with adapters and over a quantised base, with checkpointed activations, end where they end
// on ref, and a second run has the same bits.
func TestTraining(t *testing.T) {
	base := train.Config{LR: 1e-2, Steps: 3, BatchSize: 3, MicroTokens: 20, Seed: 5, WeightDecay: 0.1}
	with := func(f func(*train.Config)) train.Config { c := base; f(&c); return c }
	for _, c := range []struct {
		name      string
		cfg       train.Config
		quantised bool
	}{
		{"full", base, false},
		{"recomputed", with(func(c *train.Config) { c.Recompute = true }), false},
		{"adapters", with(func(c *train.Config) { c.LoRA = model.LoRA{Rank: 2} }), false},
		{"adapters with lengths over a quantised base", with(func(c *train.Config) { c.LoRA = model.LoRA{Rank: 2, DoRA: true} }), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sim := func() backend.Backend {
				b, err := cuda.NewSim()
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			want, got := fineTune(t, ref.New(), c.cfg, c.quantised), fineTune(t, sim(), c.cfg, c.quantised)
			for i := range want.losses {
				if !near(got.losses[i], want.losses[i]) || !near(got.norms[i], want.norms[i]) {
					t.Errorf("update %d: loss %v, gradient norm %v; on ref %v, %v", i+1, got.losses[i], got.norms[i], want.losses[i], want.norms[i])
				}
			}
			for i := range want.text {
				if !slices.Equal(got.text[i], want.text[i]) {
					t.Errorf("prompt %d is continued by %v; on ref by %v", i, got.text[i], want.text[i])
				}
			}
			if !slices.EqualFunc(got.likely, want.likely, near) || len(want.likely) != 6 {
				t.Errorf("log-probabilities %v; on ref %v", got.likely, want.likely)
			}
			if again := fineTune(t, sim(), c.cfg, c.quantised); !slices.Equal(again.losses, got.losses) || !slices.Equal(again.norms, got.norms) {
				t.Errorf("a second run: %v, %v; the first: %v, %v", again.losses, again.norms, got.losses, got.norms)
			}
		})
	}
}

// TestMoments: whole runs with moments in every form, some of whose tensors are large enough for 8 bits, end where they end on
// ref; offloaded they have the same bits.
func TestMoments(t *testing.T) {
	moments(t, func() backend.Backend {
		b, err := cuda.NewSim()
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func moments(t *testing.T, open func() backend.Backend) {
	for _, cfg := range []train.Config{{Optimizer: "adamw"}, {Optimizer: "adamw-bf16", Precision: "bf16"}, {Optimizer: "adamw8bit"}} {
		t.Run(cfg.Optimizer, func(t *testing.T) {
			t.Parallel()
			run := func(dev backend.Backend, away bool) (losses []float64, m *model.Model) {
				m, err := model.New(dev, model.Config{ModelType: "llama", VocabSize: 640, HiddenSize: 8, IntermediateSize: 12, NumHiddenLayers: 1,
					NumAttentionHeads: 2, NumKeyValueHeads: 1, HeadDim: 4, MaxPositionEmbeddings: 64, RMSNormEps: 1e-5, RopeTheta: 1e4,
					TieWordEmbeddings: true, InitializerRange: 0.2}, 1)
				if err != nil {
					t.Fatal(err)
				}
				cfg := cfg
				cfg.LR, cfg.Steps, cfg.BatchSize, cfg.WeightDecay, cfg.OffloadOptimizer = 1e-2, 3, 2, 0.1, away
				tr, err := train.New(m, documents(4, 4, 640), []string{"documents"}, cfg)
				if err != nil {
					t.Fatal(err)
				}
				if err := tr.Run(context.Background(), func(r train.Report) { losses = append(losses, r.Loss, r.GradNorm) }); err != nil {
					t.Fatal(err)
				}
				return losses, m
			}
			want, _ := run(ref.New(), false)
			got, m := run(open(), false)
			for i := range want {
				if d := math.Abs(got[i] - want[i]); d > 2e-3*(1e-2+math.Abs(want[i])) {
					t.Errorf("figure %d is %v; on ref %v", i, got[i], want[i])
				}
			}
			away, n := run(open(), true)
			a, err := m.Fingerprint()
			if err != nil {
				t.Fatal(err)
			}
			if b, err := n.Fingerprint(); err != nil || b != a || !slices.Equal(away, got) {
				t.Errorf("offloaded: %v, model %s, %v; without: %v, model %s", away, b, err, got, a)
			}
		})
	}
}

// TestTrainingBF16: with operands of products rounded to bf16 a run stays close to the one in float32.
func TestTrainingBF16(t *testing.T) {
	b, err := cuda.NewBF16Sim()
	if err != nil {
		t.Fatal(err)
	}
	cfg := train.Config{LR: 1e-2, Steps: 3, BatchSize: 3, MicroTokens: 20, Seed: 5}
	want, got := fineTune(t, ref.New(), cfg, false), fineTune(t, b, cfg, false)
	for i, w := range want.losses {
		if d := math.Abs(got.losses[i] - w); d > 0.01*w || d == 0 {
			t.Errorf("update %d: loss %v; %v in float32, wanted another one within 1 %%", i+1, got.losses[i], w)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-4*(1e-2+math.Abs(b)) }

// repeated trains a model on sequences of one length, so that every micro-batch has one shape, and lets it continue a prompt.
func repeated(t testing.TB, dev backend.Backend, cfg train.Config) (out trained) {
	t.Helper()
	m := smallModel(t, dev)
	r := tensor.NewRNG(1, "documents")
	var seqs []data.Sequence
	for i := range 8 {
		s := data.Sequence{Row: i}
		for range 6 {
			s.IDs = append(s.IDs, int32(r.Intn(23)))
		}
		s.Targets = append(slices.Clone(s.IDs[1:]), backend.IgnoreIndex)
		seqs = append(seqs, s)
	}
	tr, err := train.New(m, seqs, []string{"documents"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), func(r train.Report) {
		out.losses, out.norms = append(out.losses, r.Loss), append(out.norms, r.GradNorm)
	}); err != nil {
		t.Fatal(err)
	}
	answers, err := m.Sample(context.Background(), []model.Request{{Prompt: []int32{3, 1}, MaxNew: 12, LogProbs: true, Sampling: model.Sampling{Temperature: 1}}}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	out.text, out.likely = [][]int32{answers[0].IDs}, answers[0].LogProbs
	return out
}

// TestGraphTraining: with graphs, runs and answers have the bits that they have without, and steps of one shape are mostly graphs.
func TestGraphTraining(t *testing.T) {
	base := train.Config{LR: 1e-2, Steps: 6, BatchSize: 4, MicroTokens: 12, Seed: 5, WeightDecay: 0.1}
	recomputed, adapters := base, base
	recomputed.Recompute = true
	adapters.LoRA = model.LoRA{Rank: 2}
	for name, cfg := range map[string]train.Config{"full": base, "recomputed": recomputed, "adapters": adapters} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var runs [2]trained
			var direct, replayed [2]int
			for i := range runs {
				b, count, err := cuda.NewFake(i == 1)
				if err != nil {
					t.Fatal(err)
				}
				runs[i] = repeated(t, b, cfg)
				direct[i], replayed[i] = count()
			}
			if !slices.Equal(runs[0].losses, runs[1].losses) || !slices.Equal(runs[0].norms, runs[1].norms) || !slices.Equal(runs[0].text[0], runs[1].text[0]) || !slices.Equal(runs[0].likely, runs[1].likely) {
				t.Errorf("%v\nwith graphs %v", runs[0], runs[1])
			}
			t.Logf("%d operations one by one; with graphs %d, and %d graphs", direct[0], direct[1], replayed[1])
			if replayed[0] != 0 || replayed[1] < 30 || direct[1] > direct[0]/2 {
				t.Errorf("%d operations one by one and %d graphs; wanted at most half of %d and at least 30", direct[1], replayed[1], direct[0])
			}
		})
	}
}
