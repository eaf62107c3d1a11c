package train

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cpu"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// Tokens behind a document that nothing is trained on change neither its loss nor a gradient, and get none of their own.
func TestPaddingDoesNotMatter(t *testing.T) { both(t, paddingDoesNotMatter) }

func paddingDoesNotMatter(t *testing.T, device string) {
	bound := map[string]float64{"ref": 1e-6, "cpu": 2e-6}[device]
	c := tinyModel(t, device).Config
	c.TieWordEmbeddings = false
	dev, err := backend.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.New(dev, c, 1)
	if err != nil {
		t.Fatal(err)
	}
	plain := sequences(6)
	for i := range plain { // id 0 is for padding alone
		for j, id := range plain[i].IDs {
			plain[i].IDs[j] = max(1, id)
			if plain[i].Targets[j] == 0 {
				plain[i].Targets[j] = 1
			}
		}
	}
	padded := slices.Clone(plain)
	longest := 0
	for _, s := range plain {
		longest = max(longest, len(s.IDs))
	}
	for i, s := range padded {
		n := longest - len(s.IDs)
		padded[i].IDs = append(slices.Clone(s.IDs), make([]int32, n)...)
		padded[i].Targets = append(slices.Clone(s.Targets), slices.Repeat([]int32{backend.IgnoreIndex}, n)...)
	}
	a, ga := gradients(t, m, []data.Batch{data.Pack(plain)}, nil)
	b, gb := gradients(t, m, []data.Batch{data.Pack(padded)}, nil)
	if math.Abs(a-b) > bound*a {
		t.Errorf("nll %.9g, padded %.9g", a, b)
	}
	if d := worst(ga, gb); d > 10*bound {
		t.Errorf("gradients differ by %g", d)
	}
	for _, x := range gb["model.embed_tokens.weight"][:c.HiddenSize] {
		if x != 0 {
			t.Fatal("the padding's embedding has a gradient")
		}
	}
	// Six tokens of a prompt and three of an answer, padded: three targets.
	s := data.Sequence{IDs: []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0}, Targets: slices.Repeat([]int32{backend.IgnoreIndex}, 11)}
	for i := 5; i < 8; i++ {
		s.Targets[i] = s.IDs[i+1]
	}
	if _, n, err := Loss(m, []data.Sequence{s, s}, 100); err != nil || n != 6 {
		t.Errorf("%d targets in two rows; wanted 3 each (%v)", n, err)
	}
}

// The loss of held-out sequences does not depend on how many are looked at together: within 1e-9 on ref, and 1e-6 on cpu.
func TestEvaluationInAnyBatch(t *testing.T) { both(t, evaluationInAnyBatch) }

func evaluationInAnyBatch(t *testing.T, device string) {
	bound := map[string]float64{"ref": 1e-9, "cpu": 1e-6}[device]
	m := tinyModel(t, device)
	seqs := sequences(14)
	whole, n, err := Loss(m, seqs, math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{1, 2, 7} {
		sum, count := 0.0, 0
		for from := 0; from < len(seqs); from += batch {
			x, k, err := Loss(m, seqs[from:from+batch], math.MaxInt)
			if err != nil {
				t.Fatal(err)
			}
			sum, count = sum+x, count+k
		}
		if math.Abs(sum/float64(count)-whole/float64(n)) > bound || count != n {
			t.Errorf("batches of %d: %.12g over %d tokens; in one %.12g over %d", batch, sum/float64(count), count, whole/float64(n), n)
		}
	}
}

// One update of all examples is the same whatever their order, and one example repeated is one example.
func TestOrderWithinAnUpdate(t *testing.T) { both(t, orderWithinAnUpdate) }

func orderWithinAnUpdate(t *testing.T, device string) {
	step := func(seqs []data.Sequence) Report {
		tr, err := New(tinyModel(t, device), seqs, []string{"a", "b"}, Config{LR: 1e-3, Steps: 1, BatchSize: len(seqs), Clip: -1})
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		return tr.Log[0]
	}
	seqs := sequences(9)
	a := step(seqs)
	slices.Reverse(seqs)
	b := step(seqs)
	c := step(append(slices.Clone(seqs), seqs...))
	for _, r := range []Report{b, c} {
		if math.Abs(a.Loss-r.Loss) > 2e-6*a.Loss || math.Abs(a.GradNorm-r.GradNorm) > 2e-5*a.GradNorm {
			t.Errorf("loss %.9g, norm %.9g; wanted %.9g, %.9g", r.Loss, r.GradNorm, a.Loss, a.GradNorm)
		}
	}
}

// A run has the same bits on any number of threads, for every optimizer and for the losses that are computed on the host.
func TestThreadsDoNotMatter(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := tensor.NewRNG(3, "threads")
	var seqs []data.Sequence
	for i := range 8 {
		s := data.Sequence{Row: i}
		for range 20 + r.Intn(40) {
			s.IDs = append(s.IDs, int32(r.Intn(700)))
		}
		s.Targets = append(slices.Clone(s.IDs[1:]), backend.IgnoreIndex)
		seqs = append(seqs, s)
	}
	c := tinyModel(t, "cpu").Config
	c.VocabSize, c.HiddenSize, c.IntermediateSize, c.NumAttentionHeads, c.NumKeyValueHeads, c.HeadDim = 700, 48, 96, 3, 3, 16
	run := func(threads int, cfg Config) string {
		runtime.GOMAXPROCS(threads)
		m, err := model.New(cpu.New(threads), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := New(m, seqs, []string{"a"}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		return fingerprint(t, m)
	}
	self, err := model.New(cpu.New(1), c, 2)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Distillation(self, 2, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []Config{{}, {Optimizer: "adamw8bit", EMA: 0.9}, {Optimizer: "lion"}, {Optimizer: "sgd", Momentum: 0.9}, {Optimizer: "adafactor", Precision: "bf16"},
		{Objective: &Objective{Name: "d", Parts: []Part{d}}, Recompute: true}} {
		cfg.LR, cfg.Steps, cfg.BatchSize = 1e-3, 2, 8
		one := run(1, cfg)
		for _, threads := range []int{2, 3, 5} {
			if run(threads, cfg) != one {
				t.Errorf("%s %s: other bits on %d threads", cfg.Optimizer, cfg.ObjectiveName, threads)
			}
		}
	}
}

// Seed 0 is a seed: the same twice, another than 42; full, with an adapter, and with noise.
func TestSeeds(t *testing.T) { both(t, seeds) }

func seeds(t *testing.T, device string) {
	for _, cfg := range []Config{{}, {LoRA: model.LoRA{Rank: 2}}, {NEFTune: 5, Optimizer: "lion"}} {
		run := func(seed int64) []float64 {
			c := cfg
			c.LR, c.Steps, c.BatchSize, c.Seed = 1e-2, 4, 4, seed
			return losses(fit(t, tinyModel(t, device), 20, c))
		}
		zero := run(0)
		if !slices.Equal(zero, run(0)) || slices.Equal(zero, run(42)) {
			t.Errorf("%+v: the losses are no function of the seed", cfg)
		}
	}
}
