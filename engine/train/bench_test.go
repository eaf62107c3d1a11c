package train

import (
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// BenchmarkStep makes updates of the embedded model's geometry on 64 documents of 24 to 104 tokens.
func BenchmarkStep(b *testing.B) {
	dev, err := backend.Open("cpu")
	if err != nil {
		b.Fatal(err)
	}
	m, err := model.New(dev, model.Config{ModelType: "llama", VocabSize: 4096, HiddenSize: 192, IntermediateSize: 512, NumHiddenLayers: 6,
		NumAttentionHeads: 6, NumKeyValueHeads: 3, HeadDim: 32, MaxPositionEmbeddings: 512, RMSNormEps: 1e-5, RopeTheta: 1e4, TieWordEmbeddings: true}, 1)
	if err != nil {
		b.Fatal(err)
	}
	r := tensor.NewRNG(1, "bench")
	var seqs []data.Sequence
	tokens := 0
	for range 64 {
		s := data.Sequence{}
		for range 24 + r.Intn(81) {
			s.IDs = append(s.IDs, int32(r.Intn(4096)))
		}
		s.Targets = append(append([]int32(nil), s.IDs[1:]...), backend.IgnoreIndex)
		seqs = append(seqs, s)
		tokens += len(s.IDs)
	}
	t, err := New(m, seqs, []string{"s"}, Config{LR: 1e-3, Steps: 1 << 20, BatchSize: 64})
	if err != nil {
		b.Fatal(err)
	}
	micro := microBatches(seqs, Order(64, 0, 0), 4096, 1)
	for b.Loop() {
		if _, err := t.Step(micro); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(tokens*b.N)/b.Elapsed().Seconds(), "tokens/s")
	b.ReportMetric(6*float64(m.Config.Params())*float64(tokens*b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
