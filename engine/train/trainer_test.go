package train

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	_ "tunebook/engine/backend/ref"
	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// both runs a test on ref and on cpu.
func both(t *testing.T, test func(t *testing.T, device string)) {
	for _, d := range []string{"ref", "cpu"} {
		t.Run(d, func(t *testing.T) { test(t, d) })
	}
}

func tinyModel(t *testing.T, device string) *model.Model {
	t.Helper()
	dev, err := backend.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.New(dev, model.Config{ModelType: "llama", VocabSize: 23, HiddenSize: 8, IntermediateSize: 12, NumHiddenLayers: 2,
		NumAttentionHeads: 2, NumKeyValueHeads: 1, HeadDim: 4, MaxPositionEmbeddings: 64, RMSNormEps: 1e-5, RopeTheta: 1e4,
		TieWordEmbeddings: true, InitializerRange: 0.2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sequences returns documents of unequal length with unequal numbers of supervised tokens, from two sources.
func sequences(n int) []data.Sequence {
	r := tensor.NewRNG(1, "sequences")
	var out []data.Sequence
	for i := range n {
		length := 2 + r.Intn(12)
		s := data.Sequence{Source: i % 2, Row: i}
		for range length {
			s.IDs = append(s.IDs, int32(r.Intn(23)))
		}
		for j := range length {
			s.Targets = append(s.Targets, backend.IgnoreIndex)
			if j+1 < length && (j >= length/3 || i%3 == 0) {
				s.Targets[j] = s.IDs[j+1]
			}
		}
		out = append(out, s)
	}
	return out
}

func fit(t *testing.T, m *model.Model, n int, cfg Config) *Trainer {
	t.Helper()
	tr, err := New(m, sequences(n), []string{"a", "b"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	return tr
}

func fingerprint(t *testing.T, m *model.Model) string {
	t.Helper()
	f, err := m.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func losses(tr *Trainer) (l []float64) {
	for _, r := range tr.Log {
		l = append(l, r.Loss)
	}
	return l
}

// However an update's examples are split into passes, losses, norms and gradients are those of one pass.
func TestSplitDoesNotMatter(t *testing.T) { both(t, splitDoesNotMatter) }

func splitDoesNotMatter(t *testing.T, device string) {
	cfg := Config{LR: 1e-2, Epochs: 2, BatchSize: 8, Seed: 3}
	var want *Trainer
	for _, micro := range []int{1 << 20, 30, 1} {
		cfg.MicroTokens = micro
		got := fit(t, tinyModel(t, device), 20, cfg)
		if want == nil {
			want = got
			continue
		}
		for i := range want.Log {
			a, b := want.Log[i], got.Log[i]
			if math.Abs(a.Loss-b.Loss) > 2e-5*a.Loss || math.Abs(a.GradNorm-b.GradNorm) > 2e-4*a.GradNorm || a.Supervised != b.Supervised {
				t.Errorf("passes of %d tokens, step %d: loss %.8g, norm %.8g; in one pass %.8g, %.8g", micro, i+1, b.Loss, b.GradNorm, a.Loss, a.GradNorm)
			}
		}
	}
}

// The mean is over all supervised tokens of an update: one target of loss x and three of loss y give (x+3y)/4.
func TestLossIsPerToken(t *testing.T) { both(t, lossIsPerToken) }

func lossIsPerToken(t *testing.T, device string) {
	m := tinyModel(t, device)
	x := int32(backend.IgnoreIndex)
	one := data.Sequence{IDs: []int32{1, 2}, Targets: []int32{2, x}}
	three := data.Sequence{IDs: []int32{4, 5, 6, 7}, Targets: []int32{5, 6, 7, x}}
	a, _, err := Loss(m, []data.Sequence{one}, 100)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := Loss(m, []data.Sequence{three}, 100)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(m, []data.Sequence{one, three}, []string{"s"}, Config{LR: 1e-3, Steps: 1, BatchSize: 2, MicroTokens: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if got, want := tr.Log[0].Loss, (a+b)/4; math.Abs(got-want) > 1e-6 {
		t.Errorf("loss %.9g, wanted %.9g; the mean of means is %.9g", got, want, (a+b/3)/2)
	}
}

// Every example is seen once an epoch, the last small batch included.
func TestEpochs(t *testing.T) { both(t, epochs) }

func epochs(t *testing.T, device string) {
	tr := fit(t, tinyModel(t, device), 10, Config{LR: 1e-3, Epochs: 2, BatchSize: 4})
	if len(tr.Log) != 6 || tr.Log[2].Epoch != 0 || tr.Log[3].Epoch != 1 {
		t.Fatalf("10 examples by 4, twice: %d updates", len(tr.Log))
	}
	for e := range 2 {
		o := Order(10, 0, e)
		slices.Sort(o)
		for i, x := range o {
			if x != i {
				t.Fatalf("epoch %d visits %v", e, o)
			}
		}
	}
	if slices.Equal(Order(10, 0, 0), Order(10, 0, 1)) || slices.Equal(Order(10, 0, 0), Order(10, 42, 0)) || !slices.Equal(Order(10, 0, 0), Order(10, 0, 0)) {
		t.Fatal("the order is not a function of seed and epoch")
	}
	if tr := fit(t, tinyModel(t, device), 10, Config{LR: 1e-3, Epochs: 1, BatchSize: 16}); len(tr.Log) != 1 {
		t.Fatalf("10 examples by 16: %d updates", len(tr.Log))
	}
}

func TestSchedule(t *testing.T) {
	c := Config{LR: 1, Warmup: 2, Schedule: "cosine"}
	var lr []float64
	for i := range 10 {
		lr = append(lr, c.At(i, 10))
	}
	if !(lr[0] > 0) || lr[1] != 1 || !(lr[9] > 0) || !slices.IsSortedFunc(lr[1:], func(a, b float64) int {
		if a > b {
			return -1
		}
		return 1
	}) {
		t.Errorf("cosine: %v", lr)
	}
	c.Schedule, c.Warmup = "linear", -1
	if a, b := c.At(0, 9), c.At(8, 9); math.Abs(a-0.9) > 1e-12 || math.Abs(b-0.1) > 1e-12 {
		t.Errorf("linear: %g … %g", a, b)
	}
	c.Schedule = "constant"
	if c.At(5, 9) != 1 {
		t.Error("constant")
	}
}

// Stopped at any update and resumed in a new process, a run ends in the same bits; full and low-rank.
func TestResumeIsBitEqual(t *testing.T) { both(t, resumeIsBitEqual) }

func resumeIsBitEqual(t *testing.T, device string) {
	for _, rank := range []int{0, 2} {
		cfg := Config{LR: 1e-2, Epochs: 4, BatchSize: 6, Seed: 0, LoRA: model.LoRA{Rank: rank}}
		m := tinyModel(t, device)
		straight := fit(t, m, 20, cfg)
		want := fingerprint(t, m)
		for _, stop := range []int{1, 5, 9} {
			cfg.Dir, cfg.Every = t.TempDir(), 3
			base := tinyModel(t, device)
			before := fingerprint(t, base)
			tr, err := New(base, sequences(20), []string{"a", "b"}, cfg)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			err = tr.Run(ctx, func(r Report) {
				if r.Step == stop {
					cancel()
				}
			})
			if !errors.Is(err, ErrInterrupted) {
				t.Fatalf("stopped at %d: %v", stop, err)
			}
			again := tinyModel(t, device)
			tr, err = New(again, sequences(20), []string{"a", "b"}, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if tr.Done() != stop {
				t.Fatalf("resumed at %d, stopped at %d", tr.Done(), stop)
			}
			if rank > 0 && tr.Trainable() != straight.Trainable() {
				t.Fatalf("%d parameters are trained after resuming, %d before", tr.Trainable(), straight.Trainable())
			}
			if err := tr.Run(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			if got := fingerprint(t, again); got != want || got == before {
				t.Errorf("rank %d, stopped at %d: other weights than the straight run's", rank, stop)
			}
			if !slices.Equal(losses(tr), losses(straight)) {
				t.Errorf("rank %d, stopped at %d: another log", rank, stop)
			}
			if left, err := Checkpoints(cfg.Dir); err != nil || len(left) != 2 {
				t.Errorf("checkpoints kept: %v %v", left, err)
			}
		}
	}
}

// A checkpoint that is cut short is passed over for the one before; one of another run is refused; nothing is resumed
// from a temporary file.
func TestBrokenCheckpoints(t *testing.T) { both(t, brokenCheckpoints) }

func brokenCheckpoints(t *testing.T, device string) {
	cfg := Config{LR: 1e-2, Steps: 6, BatchSize: 6, Dir: t.TempDir(), Every: 3, Keep: 5}
	fit(t, tinyModel(t, device), 20, cfg)
	paths, err := Checkpoints(cfg.Dir)
	if err != nil || len(paths) != 2 {
		t.Fatal(paths, err)
	}
	whole, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{0, 7, 500, len(whole) - 1} {
		if err := os.WriteFile(paths[0], whole[:k], 0o644); err != nil {
			t.Fatal(err)
		}
		os.WriteFile(filepath.Join(cfg.Dir, "."+filepath.Base(paths[0])+".tmp-1"), whole[:k], 0o644)
		tr, err := New(tinyModel(t, device), sequences(20), []string{"a", "b"}, cfg)
		if err != nil || tr.Done() != 3 {
			t.Fatalf("cut at %d: resumed at %v, %v", k, tr, err)
		}
	}
	cfg.LR = 2e-2
	os.WriteFile(paths[0], whole, 0o644)
	var other *OtherRun
	if _, err := New(tinyModel(t, device), sequences(20), []string{"a", "b"}, cfg); !errors.As(err, &other) {
		t.Fatalf("another learning rate: %v", err)
	}
}

// LoRA leaves the base as it is.
func TestLoRALeavesTheBase(t *testing.T) { both(t, loRALeavesTheBase) }

func loRALeavesTheBase(t *testing.T, device string) {
	base := tinyModel(t, device)
	before := fingerprint(t, base)
	m := base.Share()
	fit(t, m, 20, Config{LR: 1e-2, Epochs: 2, LoRA: model.LoRA{Rank: 4}})
	if fingerprint(t, base) != before {
		t.Fatal("the base changed")
	}
	if fingerprint(t, m) == before {
		t.Fatal("nothing was trained")
	}
}

func TestStopsBeforeHarm(t *testing.T) { both(t, stopsBeforeHarm) }

func stopsBeforeHarm(t *testing.T, device string) {
	m := tinyModel(t, device)
	none := sequences(8)
	for i := range none {
		for j := range none[i].Targets {
			none[i].Targets[j] = backend.IgnoreIndex
		}
	}
	var ns *data.NoSupervision
	if _, err := New(m, none, []string{"a", "b"}, Config{LR: 1}); !errors.As(err, &ns) || ns.Of != 8 {
		t.Errorf("nothing supervised: %v", err)
	}
	// An infinite weight makes the loss NaN: the step is refused and the weights stay.
	p := m.Param("model.norm.weight")
	x := make([]float32, p.Len())
	x[0] = float32(math.Inf(1))
	m.Device().Upload(p.Value, x)
	before := fingerprint(t, m)
	tr, err := New(m, sequences(8), []string{"a", "b"}, Config{LR: 1})
	if err != nil {
		t.Fatal(err)
	}
	var nf *NonFinite
	if err := tr.Run(context.Background(), nil); !errors.As(err, &nf) || nf.Step != 1 {
		t.Fatalf("a loss of NaN: %v", err)
	}
	if fingerprint(t, m) != before {
		t.Error("the failed step changed weights")
	}
	for _, c := range []Config{{}, {LR: math.NaN()}, {LR: 1, Steps: 3, Epochs: 2}, {LR: 1, Schedule: "cosin"}, {LR: 1, Clip: -2}, {LR: 1, MinLR: 2}} {
		if c.Check() == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// Three AdamW updates of one parameter agree with the formulas in float64, clipping and decay included.
func TestAdamWFormula(t *testing.T) { both(t, adamWFormula) }

func adamWFormula(t *testing.T, device string) {
	m := tinyModel(t, device)
	cfg := Config{LR: 1e-2, Steps: 3, BatchSize: 20, WeightDecay: 0.1, Clip: 0.05, Warmup: -1, Schedule: "constant"}
	name := "model.layers.0.mlp.up_proj.weight"
	p := m.Param(name)
	w := make([]float32, p.Len())
	if err := m.Device().Download(w, p.Value); err != nil {
		t.Fatal(err)
	}
	tr, err := New(m, sequences(20), []string{"a", "b"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float64, len(w))
	for i, x := range w {
		want[i] = float64(x)
	}
	m1, m2 := make([]float64, len(w)), make([]float64, len(w))
	full := tr.cfg
	kept := &keeping{tr.opt, tr.params, nil}
	tr.opt = kept
	for step := 1; step <= 3; step++ {
		r, err := tr.Step(microBatches(tr.seqs, Order(20, 0, step-1), full.MicroTokens, 1))
		if err != nil {
			t.Fatal(err)
		}
		g := kept.of[slices.Index(tr.params, p)]
		clip := min(1, full.Clip/r.GradNorm)
		if clip == 1 {
			t.Fatal("the test wants clipping")
		}
		for i := range want {
			gi := float64(g[i]) * clip
			m1[i] = 0.9*m1[i] + 0.1*gi
			m2[i] = 0.999*m2[i] + 0.001*gi*gi
			mh, vh := m1[i]/(1-math.Pow(0.9, float64(step))), m2[i]/(1-math.Pow(0.999, float64(step)))
			want[i] -= full.LR * (full.WeightDecay*want[i] + mh/(math.Sqrt(vh)+full.Eps))
		}
	}
	if err := m.Device().Download(w, p.Value); err != nil {
		t.Fatal(err)
	}
	for i := range w {
		if math.Abs(float64(w[i])-want[i]) > 2e-6 {
			t.Fatalf("%s[%d]: %.8g, wanted %.8g", name, i, w[i], want[i])
		}
	}
}
