package cuda_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cuda"
	"tunebook/engine/model"
	"tunebook/engine/train"
)

// shared trains the small model on devices, the first of which it lies on, and returns the losses and norms.
func shared(t *testing.T, devs []backend.Backend, cfg train.Config) (figures []float64, link string) {
	t.Helper()
	m := smallModel(t, devs[0])
	if cfg.Devices = devs; len(devs) == 1 {
		cfg.Devices = nil
	}
	tr, err := train.New(m, documents(7, 6, 23), []string{"documents"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	link = tr.Link()
	if err := tr.Run(context.Background(), func(r train.Report) { figures = append(figures, r.Loss, r.GradNorm) }); err != nil {
		t.Fatal(err)
	}
	return figures, link
}

// TestSeveralCards: two cards' runs are those of one within 1e-4 of the figures, joined by NCCL's stand-in and through the machine's memory; a
// second run has the same bits, and of two cards both ways have, since two numbers have one sum.
func TestSeveralCards(t *testing.T) {
	sims := func(n int) (devs []backend.Backend) {
		for range n {
			b, err := cuda.NewSim()
			if err != nil {
				t.Fatal(err)
			}
			devs = append(devs, b)
		}
		return devs
	}
	for name, cfg := range map[string]train.Config{
		"full":                  {LR: 1e-2, Steps: 3, BatchSize: 4, MicroTokens: 12, Seed: 5, WeightDecay: 0.1},
		"adapters, other parts": {LR: 1e-2, Steps: 3, BatchSize: 3, Seed: 5, LoRA: model.LoRA{Rank: 2}},
	} {
		one, link := shared(t, sims(1), cfg)
		if link != "" {
			t.Errorf("%s: one card is joined %q", name, link)
		}
		plain, link := shared(t, sims(2), cfg)
		if !strings.HasPrefix(link, "through the machine's memory; ") {
			t.Errorf("%s: simulated cards are joined %q", name, link)
		}
		devs, groups := cuda.Joined(t, 2)
		nccl, link := shared(t, devs, cfg)
		if link != "by NCCL 2.27.3, libfake.so.2" || groups() != 2*3 {
			t.Errorf("%s: cards are joined %q, in %d groups of calls", name, link, groups())
		}
		again, _ := shared(t, sims(2), cfg)
		if !slices.Equal(again, plain) || !slices.Equal(nccl, plain) {
			t.Errorf("%s: %v\na second time %v\nby NCCL %v", name, plain, again, nccl)
		}
		for i, x := range one {
			if !near(plain[i], x) {
				t.Errorf("%s: figure %d is %v on two cards; on one %v", name, i, plain[i], x)
			}
		}
		if slices.Equal(plain, one) {
			t.Errorf("%s: two cards have the bits of one: are the examples shared?", name)
		}
	}
}

// TestSeveralCardsMemory: what was estimated for each card is what is taken there, and all of it is given back with the run and the
// model, but for a few kilobytes of tables that a card keeps from its first run on.
func TestSeveralCardsMemory(t *testing.T) {
	var devs []backend.Backend
	var taken []func() (now, peak int64)
	for range 2 {
		b, f, err := cuda.NewCounted(false)
		if err != nil {
			t.Fatal(err)
		}
		devs, taken = append(devs, b), append(taken, f)
	}
	held := func() (now [2]int64) {
		for i, f := range taken {
			now[i], _ = f()
		}
		return now
	}
	cfg := model.Config{ModelType: "llama", VocabSize: 700, HiddenSize: 16, IntermediateSize: 24, NumHiddenLayers: 2,
		NumAttentionHeads: 2, NumKeyValueHeads: 1, HeadDim: 8, MaxPositionEmbeddings: 64, RMSNormEps: 1e-5, RopeTheta: 1e4, TieWordEmbeddings: true}
	tune := func(m *model.Model, lora int) (planned, peak int64) {
		tr, err := train.New(m, documents(6, 12, 700), []string{"documents"},
			train.Config{LR: 1e-3, Steps: 2, BatchSize: 6, Devices: devs, LoRA: model.LoRA{Rank: lora}})
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		_, peak = taken[1]()
		if tr.MemoryOn(devs[1]).Optimizer != 0 {
			t.Error("the second card has an optimizer's state")
		}
		return tr.MemoryOn(devs[1]).Total(), peak
	}
	empty := held()
	var after [2][2]int64
	for round := range after {
		start := held()[0]
		m, err := model.New(devs[0], cfg, 1)
		if err != nil {
			t.Fatal(err)
		}
		weights := held()[0] - start
		for _, lora := range []int{0, 2} {
			before := held()
			tuned, adapter := (*model.Model)(nil), int64(0)
			if lora == 0 {
				tuned = m.Clone()
			} else {
				tuned = m.Share()
			}
			planned, peak := tune(tuned, lora)
			if lora > 0 {
				for _, p := range tuned.Adapter.Params() {
					adapter += int64(cuda.SizeClass(4 * p.Len()))
				}
			}
			got := peak - before[1] - weights - adapter
			if d := math.Abs(float64(got - planned)); d > float64(planned)/20+12<<10 || planned == 0 {
				t.Errorf("rank %d: %d bytes were taken on the second card besides the model; %d were planned", lora, got, planned)
			} else {
				t.Logf("rank %d: %d bytes were taken on the second card; %d were planned", lora, got, planned)
			}
			tuned.Close()
		}
		m.Close()
		after[round] = held()
	}
	if after[0] != after[1] || after[0][0] > empty[0]+16<<10 || after[0][1] != empty[1] {
		t.Errorf("the cards hold %v bytes after the first model was closed and %v after the second; %v before", after[0], after[1], empty)
	}
}
