package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cuda"
	"tunebook/engine/backend/ref"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
	"tunebook/engine/train"
)

// TestCardTraining: whole runs on a card end where they end on ref, and a second run has the same bits.
func TestCardTraining(t *testing.T) {
	dev, err := backend.Open("cuda")
	if err != nil {
		t.Skip(err)
	}
	base := train.Config{LR: 1e-2, Steps: 3, BatchSize: 3, MicroTokens: 20, Seed: 5, WeightDecay: 0.1}
	adapters := base
	adapters.LoRA = model.LoRA{Rank: 2, DoRA: true}
	for i, cfg := range []train.Config{base, adapters} {
		want, got, again := fineTune(t, ref.New(), cfg, i == 1), fineTune(t, dev, cfg, i == 1), fineTune(t, dev, cfg, i == 1)
		for i := range want.losses {
			if !near(got.losses[i], want.losses[i]) || !near(got.norms[i], want.norms[i]) {
				t.Errorf("update %d: loss %v, gradient norm %v; on ref %v, %v", i+1, got.losses[i], got.norms[i], want.losses[i], want.norms[i])
			}
		}
		if !slices.Equal(again.losses, got.losses) || !slices.Equal(again.norms, got.norms) {
			t.Errorf("a second run: %v, %v; the first: %v, %v", again.losses, again.norms, got.losses, got.norms)
		}
	}
}

// TestCardGraphs: on a card, runs and answers have the same bits with graphs as without.
func TestCardGraphs(t *testing.T) {
	for _, device := range []string{"cuda", "cuda-bf16"} {
		dev, err := backend.Open(device)
		if err != nil {
			t.Skip(err)
		}
		cfg := train.Config{LR: 1e-2, Steps: 6, BatchSize: 4, MicroTokens: 12, Seed: 5, WeightDecay: 0.1}
		want := repeated(t, dev, cfg)
		cuda.SetGraphs(dev.(*cuda.Backend), true)
		got := repeated(t, dev, cfg)
		n := cuda.SetGraphs(dev.(*cuda.Backend), false)
		if !slices.Equal(want.losses, got.losses) || !slices.Equal(want.norms, got.norms) || !slices.Equal(want.text[0], got.text[0]) || !slices.Equal(want.likely, got.likely) {
			t.Errorf("%s: %v\nwith graphs %v", device, want, got)
		}
		if n < 30 {
			t.Errorf("%s: %d graphs were started; wanted at least 30", device, n)
		}
	}
}

// TestCardMoments is TestMoments on a card, whose offloaded moments go through locked memory.
func TestCardMoments(t *testing.T) {
	dev, err := backend.Open("cuda")
	if err != nil {
		t.Skip(err)
	}
	moments(t, func() backend.Backend { return dev })
}

// stepShapes are geometries of whole training steps: SmolLM2 135M, and Llama 3.2 1B's layers, a quarter of them.
var stepShapes = []struct {
	name string
	cfg  model.Config
}{
	{"smollm2-135m", model.Config{ModelType: "llama", VocabSize: 49152, HiddenSize: 576, IntermediateSize: 1536, NumHiddenLayers: 30, NumAttentionHeads: 9,
		NumKeyValueHeads: 3, HeadDim: 64, MaxPositionEmbeddings: 8192, RMSNormEps: 1e-5, RopeTheta: 1e5, TieWordEmbeddings: true}},
	{"llama-3.2-1b, 4 layers", model.Config{ModelType: "llama", VocabSize: 128256, HiddenSize: 2048, IntermediateSize: 8192, NumHiddenLayers: 4, NumAttentionHeads: 32,
		NumKeyValueHeads: 8, HeadDim: 64, MaxPositionEmbeddings: 8192, RMSNormEps: 1e-5, RopeTheta: 5e5, TieWordEmbeddings: true}},
}

// BenchmarkCardStep times whole training steps in packed sequences of 4,096 tokens. It asserts nothing.
func BenchmarkCardStep(bench *testing.B) {
	for _, device := range []string{"cuda", "cuda-bf16"} {
		dev, err := backend.Open(device)
		if err != nil {
			bench.Skip(err)
		}
		bench.Run(device, func(bench *testing.B) {
			for _, s := range stepShapes {
				if device == "cuda" && s.cfg.HiddenSize > 1024 {
					continue // minutes
				}
				for _, rank := range []int{0, 16} {
					timeSteps(bench, dev, s.name, s.cfg, rank)
					if device == "cuda-bf16" {
						timeGraphs(bench, dev.(*cuda.Backend), s.name, s.cfg, rank)
					}
				}
			}
		})
	}
}

// timeGraphs logs the rates of steps of 4 times 4,096 and of 4 times 256 tokens, and of greedy answers to 32 prompts, without graphs
// and with them.
func timeGraphs(bench *testing.B, dev *cuda.Backend, name string, shape model.Config, rank int) {
	for _, length := range []int{4096, 256} {
		for _, graphs := range []bool{false, true} {
			cuda.SetGraphs(dev, graphs)
			m, _, best, report := steps(bench, dev, shape, rank, length, 6)
			const prompts, tokens = 32, 64
			ids := make([][]int32, prompts)
			for i := range ids {
				ids[i] = []int32{int32(i), 1, 2, 3}
			}
			start := time.Now()
			if _, err := m.Generate(context.Background(), ids, model.Greedy{MaxNew: tokens}, nil); err != nil {
				bench.Fatal(err)
			}
			spent := time.Since(start).Seconds()
			m.Close()
			n := cuda.SetGraphs(dev, false)
			bench.Logf("%s, %s, rank %d, 4 × %d tokens, graphs %v (%d started): %.0f tokens/s; %d answers: %.0f tokens/s", dev.Name(), name, rank, length, graphs, n,
				float64(report.Tokens)/best, prompts, prompts*tokens/spent)
		}
	}
}

// steps trains on sequences of one length and returns the seconds of the fastest update but for the first two, which load kernels
// and capture graphs.
func steps(bench *testing.B, dev backend.Backend, shape model.Config, rank, length, updates int) (m *model.Model, tr *train.Trainer, best float64, report train.Report) {
	const sequences = 4
	r := tensor.NewRNG(1, "documents")
	var seqs []data.Sequence
	for i := range sequences {
		q := data.Sequence{Row: i, IDs: make([]int32, length)}
		for j := range q.IDs {
			q.IDs[j] = int32(r.Intn(shape.VocabSize))
		}
		q.Targets = append(slices.Clone(q.IDs[1:]), backend.IgnoreIndex)
		seqs = append(seqs, q)
	}
	cfg := train.Config{LR: 1e-5, Steps: updates, BatchSize: sequences, MicroTokens: sequences * length, Seed: 1}
	cfg.LoRA.Rank = rank
	m, err := model.New(dev, shape, 1)
	if err != nil {
		bench.Fatal(err)
	}
	if tr, err = train.New(m, seqs, []string{"documents"}, cfg); err != nil {
		bench.Fatal(err)
	}
	best, last := math.Inf(1), time.Now()
	if err := tr.Run(context.Background(), func(r train.Report) {
		if d := time.Since(last).Seconds(); r.Step > 2 || r.Step == updates {
			best = min(best, d)
		}
		if timed, ok := dev.(*backend.Timed); ok && r.Step+1 == updates {
			timed.Reset()
		}
		report, last = r, time.Now()
	}); err != nil {
		bench.Fatal(err)
	}
	return m, tr, best, report
}

// timeSteps logs the rate of steps, and then, waiting for each operation, where their time goes.
func timeSteps(bench *testing.B, dev backend.Backend, name string, shape model.Config, rank int) {
	const length = 4096
	m, tr, best, report := steps(bench, dev, shape, rank, length, 4)
	way := "full"
	if rank > 0 {
		way = fmt.Sprintf("adapters of rank %d", rank)
	}
	bench.Logf("%s, %s, %s: %.0f tokens/s, %.1f TFLOP/s in products with weights, loss %.4f", dev.Name(), name, way,
		float64(report.Tokens)/best, tr.FLOPs(report)/best/1e12, report.Loss)
	timed := backend.NewTimed(dev) // keeps the last update's times
	m.Close()
	m, _, _, _ = steps(bench, timed, shape, rank, length, 2)
	m.Close()
	for _, part := range backend.Parts {
		bench.Logf("    %s: %.1f ms, %.0f TFLOP/s", part, 1e3*timed.Of[part].Seconds(), timed.Work[part]/timed.Of[part].Seconds()/1e12)
	}
}

// TestCardSeveral: on two cards or more, a run on two is the run on one, and numbers are added and copied rightly, by NCCL where it is there.
func TestCardSeveral(t *testing.T) {
	var devs []backend.Backend
	for _, name := range []string{"cuda:0", "cuda:1"} {
		dev, err := backend.Open(name)
		if err != nil {
			t.Skip(err)
		}
		devs = append(devs, dev)
	}
	c := backend.NewCollective(devs)
	t.Log(c.Info())
	const n = 1 << 20
	parts := make([][]backend.Buffer, len(devs))
	for d, dev := range devs {
		for i := range 100 {
			x := dev.AllocUninit(tensor.F32, n/(i+1))
			dev.Fill(x, float32(d+1))
			parts[d] = append(parts[d], x)
		}
	}
	start := time.Now()
	if err := errors.Join(c.Reduce(parts), devs[0].Sync(), c.Broadcast(parts), devs[1].Sync()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f MB were added and copied in %v", 4*5.19*n/1e6, time.Since(start))
	for d, dev := range devs {
		for _, b := range parts[d] {
			x := make([]float32, b.Len())
			if err := dev.Download(x, b); err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(x, func(v float32) bool { return v != 3 }); i >= 0 {
				t.Fatalf("element %d of %d on device %d is %v; wanted 3", i, len(x), d, x[i])
			}
			dev.Free(b)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	cfg := train.Config{LR: 1e-2, Steps: 3, BatchSize: 4, Seed: 5}
	one, _ := shared(t, devs[:1], cfg)
	two, _ := shared(t, devs, cfg)
	again, _ := shared(t, devs, cfg)
	if !slices.EqualFunc(two, one, near) || !slices.Equal(two, again) {
		t.Errorf("%v on one card; on two %v, and %v a second time", one, two, again)
	}
}
