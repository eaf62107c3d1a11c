package cpu_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cpu"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
	"tunebook/engine/train"
)

// losses trains a model of two layers for six updates on packed documents and returns the losses.
func losses(t *testing.T, dev backend.Backend, lora int) (out []float64) {
	t.Helper()
	m, err := model.New(dev, model.Config{ModelType: "llama", VocabSize: 90, HiddenSize: 64, IntermediateSize: 130, NumHiddenLayers: 2,
		NumAttentionHeads: 4, NumKeyValueHeads: 4, HeadDim: 16, MaxPositionEmbeddings: 64, RMSNormEps: 1e-5, RopeTheta: 1e4,
		TieWordEmbeddings: true, InitializerRange: 0.1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := tensor.NewRNG(1, "documents")
	var seqs []data.Sequence
	for i := range 24 {
		s := data.Sequence{Row: i}
		for range 20 + r.Intn(30) {
			s.IDs = append(s.IDs, int32(r.Intn(90)))
		}
		s.Targets = append(slices.Clone(s.IDs[1:]), backend.IgnoreIndex)
		seqs = append(seqs, s)
	}
	cfg := train.Config{LR: 3e-3, Steps: 6, BatchSize: 8, MicroTokens: 150, Seed: 5, LoRA: model.LoRA{Rank: lora}}
	tr, err := train.New(m, seqs, []string{"documents"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), func(r train.Report) { out = append(out, r.Loss) }); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTrainingBF16: with operands of products rounded to bf16 a run stays close to the one in float32, and has the same bits
// on any number of threads.
func TestTrainingBF16(t *testing.T) {
	for _, lora := range []int{0, 4} {
		want, got := losses(t, cpu.New(2), lora), losses(t, cpu.NewBF16(2), lora)
		for i, w := range want {
			if d := math.Abs(got[i] - w); !(d <= 0.003*w) || d == 0 {
				t.Errorf("rank %d, update %d: loss %v; %v in float32, wanted another one within 0.3 %%", lora, i+1, got[i], w)
			}
		}
		if again := losses(t, cpu.NewBF16(1), lora); !slices.Equal(again, got) {
			t.Errorf("rank %d: losses %v on one thread; %v on two", lora, again, got)
		}
	}
}
