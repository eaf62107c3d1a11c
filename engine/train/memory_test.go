package train

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// counting is a device that counts the memory that its buffers take, by the size classes of host memory.
type counting struct {
	backend.Backend
	meter *backend.Meter
	of    map[backend.Buffer]backend.Buffer
}

func (c *counting) Alloc(dt tensor.DType, n int) backend.Buffer {
	b := c.Backend.Alloc(dt, n)
	c.of[b] = c.meter.Alloc(dt, n)
	return b
}

func (c *counting) AllocUninit(dt tensor.DType, n int) backend.Buffer { return c.Alloc(dt, n) }

func (c *counting) Free(b backend.Buffer) {
	if x, ok := c.of[b]; ok {
		c.meter.Free(x)
		delete(c.of, b)
	}
	c.Backend.Free(b)
}

// The estimate of a pass is what a real one takes, and a run that takes more than there is is refused with both numbers.
func TestMemoryIsEstimated(t *testing.T) { both(t, memoryIsEstimated) }

func memoryIsEstimated(t *testing.T, device string) {
	ref, err := backend.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	var kept int64
	for _, c := range []Config{{}, {Recompute: true}, {LoRA: model.LoRA{Rank: 2}}, {NEFTune: 5, MicroTokens: 20}, {Optimizer: "lion", EMA: 0.9},
		{Optimizer: "adamw"}, {Optimizer: "adamw-bf16", MicroTokens: 30}, {Optimizer: "adamw8bit", Recompute: true}, {Optimizer: "adamw", OffloadOptimizer: true}} {
		dev := &counting{ref, backend.NewMeter(), map[backend.Buffer]backend.Buffer{}}
		m, err := model.New(dev, tinyModel(t, "ref").Config, 1)
		if err != nil {
			t.Fatal(err)
		}
		c.LR, c.Steps, c.BatchSize = 1e-3, 4, 20
		if c.Optimizer == "" {
			c.Optimizer = "sgd" // which keeps nothing
		}
		dev.meter = backend.NewMeter()
		clear(dev.of)
		tr, err := New(m, sequences(20), []string{"a", "b"}, c)
		if err != nil {
			t.Fatal(err)
		}
		want := tr.Memory().Passes + tr.Memory().Optimizer
		if err := tr.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		// The adapters' values and the norms' results are there besides, and not every pass was walked through.
		got := dev.meter.Peak()
		if d := math.Abs(float64(got - want)); d > 0.1*float64(want)+16384 {
			t.Errorf("%+v: estimated %d bytes, taken %d", c, want, got)
		}
		want = tr.Memory().Passes
		if !c.Recompute && kept == 0 {
			kept = want
		}
		if c.Recompute && want >= kept {
			t.Errorf("with activations made again a pass takes %d bytes, without %d", want, kept)
		}
	}
	m := tinyModel(t, device)
	_, err = New(m, sequences(20), []string{"a", "b"}, Config{LR: 1, MemoryLimit: 100000})
	var large *TooLarge
	if !errors.As(err, &large) || large.Available != 100000 || large.Total() <= 100000 || !strings.Contains(err.Error(), "0.00 GB left") {
		t.Errorf("%v", err)
	}
	if strings.Contains(err.Error(), "OffloadOptimizer") {
		t.Errorf("%v; there is nowhere else to keep moments", err)
	}
	for _, p := range m.Params() {
		if p.Grad != nil {
			t.Error("a refused run left gradients")
		}
	}
	// A device with memory of its own may leave moments to the machine's, once.
	for _, away := range []bool{false, true} {
		m, err := model.New(&counting{ref, backend.NewMeter(), map[backend.Buffer]backend.Buffer{}}, tinyModel(t, device).Config, 1)
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(m, sequences(20), []string{"a", "b"}, Config{LR: 1, MemoryLimit: 1000, OffloadOptimizer: away})
		if !errors.As(err, &large) || strings.Contains(err.Error(), "set OffloadOptimizer") == away {
			t.Errorf("offloaded %v: %v", away, err)
		}
		if moments := 8 * int64(paramCount(m)); away && large.Host != moments || !away && large.Optimizer != moments {
			t.Errorf("offloaded %v: %+v; moments take %d bytes", away, large.Memory, moments)
		}
	}
	short := (&TooLarge{Memory: Memory{Host: 5e9}, Available: 2e9, hostShort: true}).Error()
	if !strings.Contains(short, "5.00 GB") || !strings.Contains(short, "2.00 GB left") || !strings.Contains(short, "adamw8bit") {
		t.Error(short)
	}
	a, b := &Trainer{}, Memory{}
	if a.Memory() != b {
		t.Error("an estimate of nothing")
	}
}

func paramCount(m *model.Model) (n int) {
	for _, p := range m.Params() {
		n += p.Len()
	}
	return n
}

// Noise changes the training, in the same way however an update is split and on the same seed alone; making activations
// again changes no bit.
func TestNoiseAndRecompute(t *testing.T) { both(t, noiseAndRecompute) }

func noiseAndRecompute(t *testing.T, device string) {
	cfg := Config{LR: 1e-2, Steps: 3, BatchSize: 8, Seed: 3, MicroTokens: 1 << 20}
	m := tinyModel(t, device)
	plain := fit(t, m, 20, cfg)
	want := fingerprint(t, m)
	cfg.Recompute = true
	m = tinyModel(t, device)
	fit(t, m, 20, cfg)
	if fingerprint(t, m) != want {
		t.Error("making activations again changes the result")
	}
	cfg.NEFTune = 5
	one := fit(t, tinyModel(t, device), 20, cfg)
	if slices.Equal(losses(one), losses(plain)) {
		t.Error("noise changes nothing")
	}
	cfg.MicroTokens = 1
	split := fit(t, tinyModel(t, device), 20, cfg)
	for i := range one.Log {
		if a, b := one.Log[i].Loss, split.Log[i].Loss; a-b > 2e-5*a || b-a > 2e-5*a {
			t.Errorf("step %d: loss %.9g in one pass, %.9g split", i+1, a, b)
		}
	}
	cfg.Seed = 4
	cfg.Steps = 1
	other := fit(t, tinyModel(t, device), 8, cfg) // one batch of all eight: the order does not matter
	cfg.Seed = 3
	if again := fit(t, tinyModel(t, device), 8, cfg); slices.Equal(losses(again), losses(other)) {
		t.Error("the noise does not depend on the seed")
	}
	// The noise of a document of L tokens has the standard deviation NEFTune/sqrt(3·L·C).
	b := microBatches(sequences(20), []int{0, 1, 2, 3, 4, 5}, 1<<20, 1)[0]
	in := one.input(b, 0)
	n := 0
	for _, s := range b.Segments {
		top := float32(0)
		for _, x := range in.Noise[s.QStart*8 : (s.QStart+s.QLen)*8] {
			top = max(top, x, -x)
			n++
		}
		if limit := 5 / math.Sqrt(float64(s.QLen*8)); float64(top) > limit || float64(top) < 0.5*limit {
			t.Errorf("a document of %d tokens: noise up to %g; wanted up to %g", s.QLen, top, limit)
		}
	}
	if n != len(in.Noise) {
		t.Error("some tokens have no noise")
	}
}

// A pass takes what the formulas of estimate say. The last is of 8,192 tokens in one document, whose square would be 64 times as
// much.
func TestMemoryFormula(t *testing.T) {
	defer func(b int64) { roomy = b }(roomy)
	roomy = 0
	for _, c := range []struct{ V, C, F, L, H, K, D, T, R int }{
		{512, 64, 192, 6, 4, 2, 16, 512, 0},
		{4096, 64, 192, 4, 4, 4, 16, 512, 0},
		{512, 64, 192, 6, 4, 2, 16, 16, 0},
		{512, 64, 192, 6, 4, 2, 16, 512, 8},
		{512, 64, 192, 6, 4, 2, 16, 16, 16},
		{512, 64, 192, 2, 4, 2, 16, 8192, 0},
	} {
		dev := backend.NewMeter()
		m, err := model.New(dev, model.Config{ModelType: "llama", VocabSize: c.V, HiddenSize: c.C, IntermediateSize: c.F, NumHiddenLayers: c.L,
			NumAttentionHeads: c.H, NumKeyValueHeads: c.K, HeadDim: c.D, MaxPositionEmbeddings: 8192, RMSNormEps: 1e-5, RopeTheta: 1e4, TieWordEmbeddings: true}, 1)
		if err != nil {
			t.Fatal(err)
		}
		s := data.Sequence{IDs: make([]int32, c.T), Targets: make([]int32, c.T)}
		tr, err := New(m, []data.Sequence{s}, []string{"a"}, Config{LR: 1, Steps: 1, BatchSize: 1, MicroTokens: c.T, LoRA: model.LoRA{Rank: c.R}})
		if err != nil {
			t.Fatal(err)
		}
		P := tr.Trainable()
		A := c.L * (2*c.C + 2*c.H*c.D + 2*c.K*c.D + 2*c.F)
		want := 4 * float64(max(c.T*A+c.V*c.C, P))
		if c.R > 0 {
			want = 4 * float64(max(c.T*(A+7*c.L*c.R), P))
		}
		if got := float64(tr.Memory().Passes); got < 0.95*want || got > 1.25*want+float64(4*c.T*(4*c.C+4*c.F)) {
			t.Errorf("%+v: a pass takes %.0f bytes; the formula makes %.0f", c, got, want)
		}
		if got := tr.Memory().Optimizer; got != 8*int64(P) {
			t.Errorf("%+v: the optimizer takes %d bytes; the formula makes %d", c, got, 8*P)
		}
	}
}

// A run that has room keeps what others make again, as long as both are planned to fit: the bits are the same, and it takes more.
func TestRoomyRunsKeep(t *testing.T) {
	defer func(b int64) { roomy = b }(roomy)
	var prints []string
	var passes []int64
	room := roomy
	for i, b := range []int64{0, room, 1, room} {
		roomy = b
		m := tinyModel(t, "cpu")
		if i == 2 { // as much as the run takes but for a byte
			roomy = passes[1] + 8*int64(m.Config.Params()) + m.Bytes() - 1
		}
		tr := fit(t, m, 20, Config{LR: 1e-2, Epochs: 2, BatchSize: 10, Recompute: i == 3})
		prints, passes = append(prints, fingerprint(t, m)), append(passes, tr.Memory().Passes)
		if keeps := i == 1; tr.keeps != keeps {
			t.Errorf("with room for %d bytes: keeps is %v", roomy, tr.keeps)
		}
	}
	// A limit that a run fits under without keeping anything does not refuse it.
	roomy = room
	tr, err := New(tinyModel(t, "cpu"), sequences(20), []string{"a", "b"}, Config{LR: 1e-2, Epochs: 2, BatchSize: 10, MemoryLimit: passes[0] + 8*int64(tinyModel(t, "cpu").Config.Params())})
	if err != nil || tr.keeps {
		t.Errorf("under a limit that only a run without room fits: %v", err)
	}
	if prints[0] != prints[1] || passes[1] <= passes[0] || passes[2] != passes[0] {
		t.Errorf("fingerprints %q, passes of %d bytes; wanted equal ones, and more bytes for the second alone", prints[:2], passes)
	}
}

// Thousands of updates take no more memory than a hundred.
func TestUpdatesHoldNoMemory(t *testing.T) {
	seqs := sequences(20)
	tr, err := New(tinyModel(t, "cpu"), seqs, []string{"a", "b"}, Config{LR: 1e-4, Steps: 3000, BatchSize: 4, MicroTokens: 24, Clip: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	heap := func() int64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return int64(s.HeapAlloc)
	}
	before := int64(0)
	for step := range 3000 {
		// Other batches, so passes of other lengths, in every update.
		order := Order(len(seqs), 1, step/5)
		if _, err := tr.Step(tr.micro(seqs, order[step%5*4:][:4])); err != nil {
			t.Fatal(err)
		}
		if step == 200 {
			before = heap()
		}
	}
	if grown := heap() - before; grown > 128<<10 {
		t.Errorf("2,800 updates left %d bytes", grown)
	}
}

// After the first update an update of the same shape asks the system for no memory: every buffer is one that was given back.
func TestLaterUpdatesMakeNoBuffer(t *testing.T) {
	ref, err := backend.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{}, {LoRA: model.LoRA{Rank: 2}}, {Recompute: true}} {
		dev := &counting{ref, backend.NewMeter(), map[backend.Buffer]backend.Buffer{}}
		m, err := model.New(dev, tinyModel(t, "ref").Config, 1)
		if err != nil {
			t.Fatal(err)
		}
		c.LR, c.Steps, c.BatchSize = 1e-3, 9, 20
		seqs := sequences(20)
		tr, err := New(m, seqs, []string{"a", "b"}, c)
		if err != nil {
			t.Fatal(err)
		}
		first := int64(0)
		for step := range 5 {
			if _, err := tr.Step(tr.micro(seqs, Order(20, 0, 0))); err != nil {
				t.Fatal(err)
			}
			if step == 0 {
				first = dev.meter.Peak()
			}
		}
		if got := dev.meter.Peak(); got != first {
			t.Errorf("%+v: %d bytes after an update, %d after five", c, first, got)
		}
		tr.Close()
	}
}

// After the first ones an update makes no memory of the size of its activations, only what keeps account of them: on the device, and in
// Go's heap, where a device's own working memory would show too.
func TestUpdatesAllocateNoActivations(t *testing.T) {
	for _, c := range []Config{{}, {LoRA: model.LoRA{Rank: 2}}, {Optimizer: "adamw8bit"}} {
		c.LR, c.Steps, c.BatchSize, c.MicroTokens, c.Clip = 1e-4, 100, 400, 1<<20, 1
		seqs := sequences(400)
		tr, err := New(tinyModel(t, "cpu"), seqs, []string{"a", "b"}, c)
		if err != nil {
			t.Fatal(err)
		}
		micro := tr.micro(seqs, Order(len(seqs), 1, 0))
		var before, after runtime.MemStats
		const warm, counted = 3, 10
		for step := range warm + counted {
			if step == warm {
				runtime.ReadMemStats(&before)
			}
			if _, err := tr.Step(micro); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		tr.Close()
		// Ids, targets and positions are a few numbers a token; one activation of the model's has 8 and more.
		tokens := len(micro[0].IDs)
		got, bound := int(after.TotalAlloc-before.TotalAlloc)/counted, 48<<10+16*tokens
		if got > bound {
			t.Errorf("%+v: an update of %d tokens makes %d bytes; wanted at most %d", c, tokens, got, bound)
		}
		t.Logf("an update of %d tokens: %d bytes in %d pieces", tokens, got, (after.Mallocs-before.Mallocs)/counted)
	}
}
