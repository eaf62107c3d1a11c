package train

import (
	"testing"
	"time"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// shape is a geometry and the documents of an update: so many of shortest to longest tokens, all but each last one supervised.
type shape struct {
	name                         string
	c                            model.Config
	documents, shortest, longest int
}

var shapes = []shape{
	{"embedded", model.Config{VocabSize: 4096, HiddenSize: 192, IntermediateSize: 512, NumHiddenLayers: 6, NumAttentionHeads: 6,
		NumKeyValueHeads: 3, HeadDim: 32, MaxPositionEmbeddings: 512}, 64, 24, 104},
	{"small", model.Config{VocabSize: 4096, HiddenSize: 256, IntermediateSize: 1024, NumHiddenLayers: 8, NumAttentionHeads: 4,
		NumKeyValueHeads: 4, HeadDim: 64, MaxPositionEmbeddings: 2048}, 32, 128, 128},
	{"smollm2", model.Config{VocabSize: 49152, HiddenSize: 576, IntermediateSize: 1536, NumHiddenLayers: 30, NumAttentionHeads: 9,
		NumKeyValueHeads: 3, HeadDim: 64, MaxPositionEmbeddings: 8192}, 4, 256, 256},
}

// BenchmarkStep makes updates of three geometries, of all weights and of adapters of rank 16.
func BenchmarkStep(b *testing.B) {
	for _, s := range shapes {
		for _, mode := range []string{"full", "lora"} {
			b.Run(s.name+"/"+mode, func(b *testing.B) {
				dev, err := backend.Open("cpu")
				if err != nil {
					b.Fatal(err)
				}
				t, micro, tokens := stepOf(b, dev, s, mode)
				defer t.Close()
				layers, head := t.model.Products()
				flops := 6 * float64(layers+head) * float64(tokens)
				if mode == "lora" {
					flops = (4*float64(layers+head) + 6*float64(t.Trainable())) * float64(tokens)
				}
				start := time.Now()
				if _, err := t.Step(micro); err != nil { // fills the free lists
					b.Fatal(err)
				}
				first := time.Since(start).Seconds()
				b.ReportAllocs()
				for b.Loop() {
					if _, err := t.Step(micro); err != nil {
						b.Fatal(err)
					}
				}
				seconds := b.Elapsed().Seconds() / float64(b.N)
				b.ReportMetric(float64(tokens)/seconds, "tokens/s")
				b.ReportMetric(flops/seconds/1e9, "GFLOP/s")
				b.ReportMetric(first, "first-s")
				b.ReportMetric(float64(t.Memory().Total())/1e9, "estimated-GB")
			})
		}
	}
}

// stepOf prepares a run of a shape and returns it with the passes of an update and their tokens.
func stepOf(b testing.TB, dev backend.Backend, s shape, mode string) (*Trainer, []data.Batch, int) {
	s.c.ModelType, s.c.RMSNormEps, s.c.RopeTheta, s.c.TieWordEmbeddings = "llama", 1e-5, 1e4, true
	m, err := model.New(dev, s.c, 1)
	if err != nil {
		b.Fatal(err)
	}
	r := tensor.NewRNG(1, "bench")
	var seqs []data.Sequence
	tokens := 0
	for range s.documents {
		d := data.Sequence{}
		for range s.shortest + r.Intn(s.longest-s.shortest+1) {
			d.IDs = append(d.IDs, int32(r.Intn(s.c.VocabSize)))
		}
		d.Targets = append(append([]int32(nil), d.IDs[1:]...), backend.IgnoreIndex)
		seqs = append(seqs, d)
		tokens += len(d.IDs)
	}
	cfg := Config{LR: 1e-3, Steps: 1 << 20, BatchSize: s.documents, Clip: 1}
	if mode == "lora" {
		cfg.LoRA = model.LoRA{Rank: 16}
	}
	t, err := New(m, seqs, []string{"s"}, cfg)
	if err != nil {
		b.Fatal(err)
	}
	return t, microBatches(seqs, Order(s.documents, 0, 0), 4096, 1), tokens
}
