package train

import (
	"strings"
	"testing"

	"tunebook/stdlib/data"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// stopped returns the sentence with which f ends the cell.
func stopped(t *testing.T, f func()) (msg string) {
	t.Helper()
	defer func() {
		e, ok := recover().(*stop.Error)
		if !ok {
			t.Fatal("the cell was not stopped by a *stop.Error")
		}
		msg = e.Error()
	}()
	f()
	return ""
}

// Training makes a new model and leaves the base as it is; the same arguments give the same weights; the manifest gets
// its tokens.
func TestRun(t *testing.T) {
	base := model.Open("base")
	before := base.Fingerprint()
	mix := data.Mix(1, data.Generate(data.Gen{Skills: []string{"letters"}, Size: 24, Seed: 1}).Named("own"),
		data.Generate(data.Gen{Exclude: []string{"letters"}, Size: 24, Seed: 1}).Named("broad"))
	for _, cfg := range []Config{{LR: 1e-3, Epochs: 2}, {LR: 1e-2, Epochs: 2, LoRA: 4}} {
		cfg.Quiet, cfg.Seed = true, 3
		a, b := Run(base, mix, cfg), Run(base, mix, cfg)
		if base.Fingerprint() != before {
			t.Fatal("the base changed")
		}
		if f := a.Model.Fingerprint(); f != b.Model.Fingerprint() || f == before {
			t.Errorf("LoRA %d: two runs of one seed differ, or nothing was trained", cfg.LoRA)
		}
		if len(a.Log) != 6 || a.FinalLoss() >= a.Log[0].Loss {
			t.Errorf("LoRA %d: %d updates, loss %g to %g", cfg.LoRA, len(a.Log), a.Log[0].Loss, a.FinalLoss())
		}
		for _, s := range a.Mix.Manifest().Sources {
			if s.Drawn != 24 || s.Supervised == 0 || s.Supervised >= s.Tokens {
				t.Errorf("%+v", s)
			}
		}
		if mix.Manifest().Sources[0].Tokens != 0 {
			t.Error("the mix itself changed")
		}
		if x, y := a.Curve(4); len(x) != 2 || x[1] != 6 || len(y) != 2 {
			t.Errorf("curve %v %v", x, y)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	base := model.Open("base")
	set := data.New("s", []data.Example{{Prompt: "a", Answer: "b"}, {Prompt: strings.Repeat("word ", 400), Answer: "b"}})
	for want, f := range map[string]func(){
		"LR":                          func() { Run(base, set, Config{}) },
		"s row 1":                     func() { Run(base, set, Config{LR: 1, MaxLen: 64}) },
		`Policy is "cut"`:             func() { Run(base, set, Config{LR: 1, Policy: "cut"}) },
		`Train is "answer"`:           func() { Run(base, set, Config{LR: 1, Train: "answer"}) },
		"no supervised tokens in 2":   func() { Run(base, set, Config{LR: 1, MaxLen: 2, Policy: "drop"}) },
		`no linear layer is called "`: func() { Run(base, set.Head(1), Config{LR: 1, LoRA: 4, Targets: []string{"query"}}) },
	} {
		if msg := stopped(t, f); !strings.Contains(msg, want) {
			t.Errorf("%q is not in %q", want, msg)
		}
	}
}

// Losses by source and of validation sets come out of a run, a mix's weights and blocks go in, and neither measuring nor the
// cache changes the result.
func TestSources(t *testing.T) {
	base := model.Open("base")
	gen := func(skill, name string) *data.Set {
		return data.Generate(data.Gen{Skills: []string{skill}, Size: 24, Seed: 1}).Named(name)
	}
	own, broad := gen("letters", "own"), gen("lists", "broad")
	held := []*data.Set{data.Generate(data.Gen{Skills: []string{"letters"}, Split: "test", Size: 8, Seed: 1}).Named("held")}
	mix := data.Blend(1, data.Part{Set: own, Passes: 1}, data.Part{Set: broad, Passes: 1})
	cfg := Config{LR: 1e-3, Steps: 4, BatchSize: 8, Quiet: true, Cache: t.TempDir()}
	plain := Run(base, mix, cfg)
	cfg.Validation, cfg.ValidateEvery = held, 2
	r := Run(base, mix, cfg)
	if r.Model.Fingerprint() != plain.Model.Fingerprint() {
		t.Error("validation or the cache changes the result")
	}
	if l := r.LossBySource(); len(l) != 2 || !(l[0] > 0) || !(l[1] > 0) || len(r.ValidationLoss()) != 1 || !(r.ValidationLoss()[0] > 0) {
		t.Errorf("%v %v", l, r.ValidationLoss())
	}
	if x, y := r.ValidationCurve("held"); len(x) != 2 || x[1] != 4 || y[1] != r.ValidationLoss()[0] {
		t.Errorf("%v %v", x, y)
	}
	text, html := r.Show()
	for _, want := range []string{"own", "broad", "held (validation)", "none of them padding"} {
		if !strings.Contains(text, want) || !strings.Contains(html, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if text, _ := r.Mix.Show(); !strings.Contains(text, "longer: error, trained: response") {
		t.Errorf("the manifest does not say how the mix was encoded:\n%s", text)
	}
	weighted := Run(base, data.Blend(1, data.Part{Set: own, Passes: 1}, data.Part{Set: broad, Passes: 1, Weight: 0.1}), cfg)
	if weighted.Model.Fingerprint() == r.Model.Fingerprint() || weighted.Log[0].Loss != r.Log[0].Loss {
		t.Error("the weight of a source is not in the training loss, or is in the report's")
	}
	if msg := stopped(t, func() { plain.ValidationLoss() }); !strings.Contains(msg, "no validation sets") {
		t.Error(msg)
	}
}

// Rounds of training move the shares towards the source whose validation loss is the larger, through scripts' calls alone.
func TestAdaptiveRounds(t *testing.T) {
	base := model.Open("base")
	skills := []string{"letters", "lists"}
	var parts []data.Part
	var held []*data.Set
	for _, s := range skills {
		parts = append(parts, data.Part{Set: data.Generate(data.Gen{Skills: []string{s}, Size: 40, Seed: 1}).Named(s)})
		held = append(held, data.Generate(data.Gen{Skills: []string{s}, Split: "test", Size: 6, Seed: 1}).Named(s+"/test"))
	}
	shares := data.Adapt(2, nil)
	for range 2 {
		mix := data.Recipe{Seed: 1, Size: 32, Stages: shares.Stages(), Parts: parts}.Blend()
		losses := Run(base, mix, Config{LR: 1e-3, Steps: 2, Quiet: true, Validation: held}).ValidationLoss()
		before := shares.Shares()
		shares.Observe(losses)
		after := shares.Shares()
		if (after[0] > before[0]) != (losses[0] > losses[1]) {
			t.Errorf("losses %v move the shares from %v to %v", losses, before, after)
		}
	}
}

// The ways to train reach the engine: each gives another model, a score of the script's own stops a run, and the best of
// it is what the run ends in.
func TestWays(t *testing.T) {
	base := tiny()
	cfg := Config{LR: 1e-2, Steps: 4, BatchSize: 2, Quiet: true}
	seen := map[string]string{Run(base, pets(), cfg).Model.Fingerprint(): "adamw"}
	for name, change := range map[string]func(c *Config){
		"adamw8bit": func(c *Config) { c.Optimizer, c.WeightDecay = "adamw8bit", 0.5 }, "lion": func(c *Config) { c.Optimizer = "lion" },
		"sgd": func(c *Config) { c.Optimizer = "sgd" }, "momentum": func(c *Config) { c.Optimizer, c.Momentum = "sgd", 0.9 },
		"adafactor": func(c *Config) { c.Optimizer = "adafactor" }, "average": func(c *Config) { c.EMA = 0.9 },
		"bf16": func(c *Config) { c.Precision = "bf16" }, "frozen": func(c *Config) { c.Freeze = []string{"*norm*"} },
		"groups": func(c *Config) { c.Groups = []Group{{Match: "*embed*", LR: 0.1}} }, "wsd": func(c *Config) { c.Schedule, c.Decay = "wsd", 2 },
		"inverse-sqrt": func(c *Config) { c.Schedule = "inverse-sqrt" }, "eps": func(c *Config) { c.Eps = 1e-3 },
		"LoRA": func(c *Config) { c.LoRA = 2 }, "rsLoRA": func(c *Config) { c.LoRA, c.RSLoRA = 2, true }, "DoRA": func(c *Config) { c.LoRA, c.DoRA = 2, true },
		"noise": func(c *Config) { c.NEFTune = 5 },
	} {
		c := cfg
		change(&c)
		f := Run(base, pets(), c).Model.Fingerprint()
		if other := seen[f]; other != "" {
			t.Errorf("%s gives the model of %s", name, other)
		}
		seen[f] = name
	}
	cfg.Recompute = true // changes nothing
	if f := Run(base, pets(), cfg).Model.Fingerprint(); seen[f] != "adamw" {
		t.Error("making activations again changes the result")
	}
	cfg.MemoryLimit = 1000
	if msg := stopped(t, func() { Run(base, pets(), cfg) }); !strings.Contains(msg, "the run would take") {
		t.Error(msg)
	}
	cfg.Recompute, cfg.MemoryLimit = false, 0
	scores, prints := []float64{1, 2, 1, 1}, []string{}
	cfg.ValidateEvery, cfg.Patience, cfg.ScoreName = 1, 2, "given"
	cfg.Score = func(m *model.Model) float64 {
		prints = append(prints, m.Fingerprint())
		return scores[len(prints)-1]
	}
	cfg.Steps = 10
	r := Run(base, pets(), cfg)
	if len(r.Log) != 4 || r.Kept != 2 || r.Model.Fingerprint() != prints[1] || !strings.Contains(r.String(), "stopped early") || r.Log[3].Score != 1 {
		t.Errorf("%d updates, the weights of %d\n%s", len(r.Log), r.Kept, r)
	}
}
