package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/model"
	"tunebook/engine/weights"
)

func scoreOf(f func() float64) func(*model.Model) (float64, error) {
	return func(*model.Model) (float64, error) { return f(), nil }
}

// values returns a parameter's elements.
func values(t *testing.T, m *model.Model, name string) []float32 {
	t.Helper()
	p := m.Param(name)
	if p == nil {
		t.Fatalf("no parameter %s", name)
	}
	x := make([]float32, p.Len())
	if err := m.Device().Download(x, p.Value); err != nil {
		t.Fatal(err)
	}
	return x
}

// A frozen parameter keeps its bits, all others move; a pattern that matches nothing is refused.
func TestFreeze(t *testing.T) { both(t, freeze) }

func freeze(t *testing.T, device string) {
	m, before := tinyModel(t, device), tinyModel(t, device)
	tr := fit(t, m, 20, Config{LR: 1e-2, Steps: 2, Freeze: []string{"model.layers.0.*", "*norm.weight"}})
	trained := 0
	for _, p := range m.Params() {
		frozen := strings.HasPrefix(p.Name, "model.layers.0.") || strings.HasSuffix(p.Name, "norm.weight")
		if slices.Equal(values(t, m, p.Name), values(t, before, p.Name)) != frozen {
			t.Errorf("%s: frozen %v", p.Name, frozen)
		}
		if !frozen {
			trained += p.Len()
		}
	}
	if tr.Trainable() != trained {
		t.Errorf("%d parameters are trained; wanted %d", tr.Trainable(), trained)
	}
	for want, patterns := range map[string][]string{"matches \"lm_head*\"": {"lm_head*"}, "nothing is left": {"*"}, "the pattern": {"[a"}} {
		if _, err := New(tinyModel(t, device), sequences(4), []string{"a", "b"}, Config{LR: 1, Freeze: patterns}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", patterns, err)
		}
	}
}

// A group has its own rate and decay; the first that matches decides.
func TestGroups(t *testing.T) {
	m := tinyModel(t, "cpu")
	cfg := Config{LR: 1, WeightDecay: 0.1, Groups: []Group{{Match: "*.q_proj.weight", LR: 16}, {Match: "*_proj.weight", WeightDecay: -1}, {Match: "*norm*", WeightDecay: 0.5}}}
	r, err := ratesOf(cfg, m.Params())
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range m.Params() {
		want := rates{1, 0.1}
		switch {
		case strings.HasSuffix(p.Name, "q_proj.weight"):
			want = rates{16, 0.1}
		case strings.HasSuffix(p.Name, "_proj.weight"):
			want = rates{1, 0}
		case strings.Contains(p.Name, "norm"):
			want = rates{1, 0.5}
		}
		if r[i] != want {
			t.Errorf("%s: %+v; wanted %+v", p.Name, r[i], want)
		}
	}
}

// With bf16 every trained parameter is a bfloat16 after the run, and updates smaller than its steps are not lost.
func TestBF16(t *testing.T) { both(t, bf16) }

func bf16(t *testing.T, device string) {
	m := tinyModel(t, device)
	tr, err := New(m, sequences(20), []string{"a", "b"}, Config{LR: 1e-4, Steps: 40, Precision: "bf16", Schedule: "constant", Warmup: -1})
	if err != nil {
		t.Fatal(err)
	}
	start := values(t, m, "model.norm.weight")
	if err := tr.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Params() {
		for i, x := range values(t, m, p.Name) {
			if weights.BFloat16(weights.ToBFloat16(x)) != x {
				t.Fatalf("%s[%d] is %g, no bfloat16", p.Name, i, x)
			}
		}
	}
	// The weights of a norm begin at 1, where a bfloat16's step downwards is 2^-8 = 0.0039: 40 updates of 1e-4 pass half of
	// it, one does not.
	if slices.Equal(start, values(t, m, "model.norm.weight")) {
		t.Error("updates that are smaller than a step of bfloat16 were lost")
	}
	if _, err := New(tinyModel(t, device), sequences(4), []string{"a", "b"}, Config{LR: 1, Precision: "bf16", LoRA: model.LoRA{Rank: 2}}); err == nil {
		t.Error("bf16 with LoRA was taken")
	}
}

// The average is measured and is the run's end; without it training goes on from the same parameters.
func TestAverage(t *testing.T) {
	cfg := Config{LR: 1e-2, Steps: 5, BatchSize: 6, Validation: sequences(4), ValidateEvery: 1}
	plain := tinyModel(t, "cpu")
	a := fit(t, plain, 20, cfg)
	cfg.EMA = 0.5
	m := tinyModel(t, "cpu")
	b := fit(t, m, 20, cfg)
	if !slices.Equal(losses(a), losses(b)) {
		t.Error("the average changes the training")
	}
	if a.Log[4].Validation[0] == b.Log[4].Validation[0] || a.Log[0].Validation[0] != b.Log[0].Validation[0] {
		t.Error("the average is not what is measured; after one update it is the parameters")
	}
	nll, err := LossBySource(m, cfg.Validation, 100)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(nll[0]-b.Log[4].Validation[0]) > 1e-9 {
		t.Error("the run does not end in the average that was measured last")
	}
}

func TestSchedules(t *testing.T) {
	at := func(c Config, total int) (out []float64) {
		c.LR = 1
		for i := range total {
			out = append(out, c.At(i, total))
		}
		return out
	}
	for _, name := range Schedules {
		for _, c := range []Config{{Schedule: name, Warmup: 2}, {Schedule: name, Warmup: -1}, {Schedule: name, Warmup: 2, MinLR: 0.1}, {Schedule: name, Warmup: 30, Decay: 30}} {
			lr := at(c, 10)
			for i, x := range lr {
				if !(x > 0) || x > 1 || x < c.MinLR {
					t.Errorf("%+v: step %d has rate %g", c, i, x)
				}
			}
			if c.Warmup == 2 && (lr[0] != 0.5 || lr[1] != 1 || name != "constant" && !(lr[9] < 1)) {
				t.Errorf("%+v: %v", c, lr)
			}
		}
	}
	wsd := at(Config{Schedule: "wsd", Warmup: 2, Decay: 3}, 10)
	if want := []float64{0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25}; !slices.EqualFunc(wsd, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
		t.Errorf("wsd: %v", wsd)
	}
	inv := at(Config{Schedule: "inverse-sqrt", Warmup: 4}, 20)
	if math.Abs(inv[15]-0.5) > 1e-12 || math.Abs(inv[3]-1) > 1e-12 { // sqrt(4/16)
		t.Errorf("inverse-sqrt: %v", inv)
	}
}

// A loss of NaN names the row that makes it and the weights that are not finite, and keeps the last good checkpoint.
func TestNonFiniteIsExplained(t *testing.T) {
	cfg := Config{LR: 1e-2, Steps: 6, BatchSize: 20, Dir: t.TempDir(), Every: 100}
	m := tinyModel(t, "cpu")
	tr, err := New(m, sequences(20), []string{"a", "b"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	good := ""
	err = tr.Run(context.Background(), func(r Report) {
		if r.Step == 3 { // from here on the embedding of token 7 is infinite: rows with it have a loss of NaN
			good = fingerprint(t, m)
			x := values(t, m, "model.embed_tokens.weight")
			x[7*8] = float32(math.Inf(1))
			m.Device().Upload(m.Param("model.embed_tokens.weight").Value, x)
		}
	})
	var nf *NonFinite
	if !errors.As(err, &nf) || nf.Step != 4 || nf.Weight != "model.embed_tokens.weight" || nf.Of != 20 || len(nf.Rows) != 4 || !bad(nf.Rows[0].Loss) {
		t.Fatalf("%+v", err)
	}
	if nf.Checkpoint != "" {
		t.Errorf("weights that are not finite were kept in %s", nf.Checkpoint)
	}
	if paths, _ := Checkpoints(cfg.Dir); len(paths) != 0 {
		t.Errorf("%v", paths)
	}
	// Where the weights are good, and the update alone would not be, they are kept.
	cfg.Dir, cfg.Score, cfg.ScoreName = t.TempDir(), nil, ""
	m = tinyModel(t, "cpu")
	seqs := sequences(20)
	tr, err = New(m, seqs, []string{"a", "b"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	tr.cfg.Weights = []float64{1, 1}
	err = tr.Run(context.Background(), func(r Report) {
		if r.Step == 3 {
			good = fingerprint(t, m)
			tr.cfg.Weights[1] = math.Inf(1)
		}
	})
	if !errors.As(err, &nf) || nf.Step != 4 || nf.Weight != "" || nf.Param == "" || nf.Checkpoint == "" || !strings.Contains(err.Error(), nf.Checkpoint) {
		t.Fatalf("%+v", err)
	}
	cfg.Dir = nf.Checkpoint[:strings.LastIndex(nf.Checkpoint, "/")]
	again := tinyModel(t, "cpu")
	if tr, err = New(again, seqs, []string{"a", "b"}, cfg); err != nil || tr.Done() != 3 || fingerprint(t, again) != good {
		t.Errorf("resumed at %v, %v", tr.Done(), err)
	}
	// A parameter that is not finite after the last update is no good end.
	m = tinyModel(t, "cpu")
	tr, err = New(m, seqs, []string{"a", "b"}, Config{LR: 1e38, Steps: 1, Warmup: -1, Schedule: "constant", Optimizer: "sgd", Clip: -1, Groups: []Group{{Match: "*", LR: 1e10}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), nil); !errors.As(err, &nf) || nf.Weight == "" {
		t.Errorf("infinite weights at the end: %v", err)
	}
}
