package train

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/engine/runs"
	"tunebook/stdlib/data"
	"tunebook/stdlib/host"
	"tunebook/stdlib/internal/keep"
	"tunebook/stdlib/model"
)

// storeIn makes a store for a test and catches what is said about it.
func storeIn(t *testing.T) *strings.Builder {
	t.Helper()
	t.Setenv("TUNEBOOK_STORE", filepath.Join(t.TempDir(), "store"))
	var said strings.Builder
	o, e := host.Stdout(), host.Stderr()
	host.SetOutput(o, &said)
	t.Cleanup(func() { host.SetOutput(o, e) })
	notes.Clear()
	return &said
}

// stored returns the store and its runs. (The package stdlib/runs draws charts, which know of this one.)
func stored(t *testing.T) (*runs.Store, []*runs.Run) {
	t.Helper()
	s, err := keep.Store()
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	return s, all
}

// found returns the store and the run of that ID.
func found(t *testing.T, id string) (*runs.Store, *runs.Run) {
	t.Helper()
	s, _ := stored(t)
	r, err := s.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func pets() *data.Set {
	return data.New("pets", []data.Example{{Prompt: "who barks", Answer: "a dog"}, {Prompt: "who purrs", Answer: "a cat"}, {Prompt: "who flies", Answer: "a bird"}})
}

func tiny(opts ...model.Options) *model.Model {
	return model.New(model.Config{HiddenSize: 8, IntermediateSize: 16, NumHiddenLayers: 1, NumAttentionHeads: 1, NumKeyValueHeads: 1,
		MaxPositionEmbeddings: 64, RMSNormEps: 1e-5, RopeTheta: 10000, TieWordEmbeddings: true},
		model.TrainTokenizer([]string{"who barks a dog who purrs a cat"}, 262), 1, opts...)
}

// The same run asked twice is a hit that equals the first in weights, log and account; any other input makes another run.
func TestSameRunIsAHit(t *testing.T) {
	said := storeIn(t)
	base := tiny()
	for _, cfg := range []Config{{LR: 1e-2, Steps: 4, BatchSize: 2}, {LR: 1e-2, Steps: 4, BatchSize: 2, LoRA: 2}} {
		cfg.Quiet = true
		cfg.Validation = []*data.Set{pets().Named("held")}
		first := Run(base, pets(), cfg)
		again := Run(base, pets(), cfg)
		if first.Reused || !again.Reused || first.ID == "" || again.ID != first.ID {
			t.Fatalf("first %q %v, again %q %v", first.ID, first.Reused, again.ID, again.Reused)
		}
		a, _ := json.Marshal(first.Log)
		b, _ := json.Marshal(again.Log)
		if again.Model.Fingerprint() != first.Model.Fingerprint() || string(a) != string(b) || again.Tokens != first.Tokens || again.Trainable != first.Trainable ||
			again.Seconds != first.Seconds || again.String() != first.String() || again.ValidationLoss()[0] != first.ValidationLoss()[0] {
			t.Errorf("another result:\n%s\n%s", first, again)
		}
		st, r := found(t, first.ID)
		if r.Output != first.Model.Fingerprint() || r.Base != base.Fingerprint() || r.Reused != 1 {
			t.Errorf("%+v", r)
		}
		if c, err := st.Curve(r.ID, "validation/held"); err != nil || len(c) != 1 || c[0].Step != 4 || c[0].Value != first.ValidationLoss()[0] {
			t.Errorf("%v %v", c, err)
		}
		for name, change := range map[string]func(c *Config){
			"LR": func(c *Config) { c.LR = 2e-2 }, "seed": func(c *Config) { c.Seed = 1 }, "validation": func(c *Config) { c.Validation = nil },
			"again": func(c *Config) { c.Again = true }, "mask": func(c *Config) { c.Train = "all" },
		} {
			other := cfg
			change(&other)
			if r := Run(base, pets(), other); r.Reused || r.ID == "" {
				t.Errorf("%s: reused %v, kept as %q", name, r.Reused, r.ID)
			}
		}
		same := cfg
		same.MicroTokens = 7 // changes no result
		if r := Run(base, pets(), same); !r.Reused {
			t.Error("passes of another size are another run")
		}
		cfg.NoStore = true
		if r := Run(base, pets(), cfg); r.Reused || r.ID != "" {
			t.Error("NoStore keeps or finds a run")
		}
	}
	if n := strings.Count(said.String(), "is in the store"); n != 1 {
		t.Errorf("%d notes of quiet runs; wanted one\n%s", n, said)
	}
}

// A run that is in the store and damaged is made again, and said to be.
func TestDamagedRunIsMadeAgain(t *testing.T) {
	said := storeIn(t)
	cfg := Config{LR: 1e-2, Steps: 2, BatchSize: 2, Quiet: true}
	first := Run(tiny(), pets(), cfg)
	s, err := keep.Store()
	if err != nil {
		t.Fatal(err)
	}
	path, err := s.Path(first.ID, "weights")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	b[len(b)-1] ^= 1
	os.WriteFile(path, b, 0o644)
	again := Run(tiny(), pets(), cfg)
	if again.Reused || again.Model.Fingerprint() != first.Model.Fingerprint() || !strings.Contains(said.String(), "is damaged") {
		t.Errorf("reused %v\n%s", again.Reused, said)
	}
}

// Ctrl-C writes a checkpoint into the store, and the cell run again ends in the bits of a run that was not stopped.
func TestInterruptedRunGoesOn(t *testing.T) {
	storeIn(t)
	cfg := Config{LR: 1e-2, Steps: 6, BatchSize: 2, Quiet: true, NoStore: true}
	want := Run(tiny(), pets(), cfg)
	cfg.NoStore = false
	ctx, cancel := context.WithCancel(context.Background())
	host.SetContext(ctx)
	t.Cleanup(func() { host.SetContext(context.Background()) })
	cancel()
	msg := stopped(t, func() { Run(tiny(), pets(), cfg) })
	if !strings.Contains(msg, "interrupted at step 0 of 6") || !strings.Contains(msg, "in the run store") {
		t.Error(msg)
	}
	if _, r := stored(t); len(r) != 1 || r[0].Status != "interrupted" {
		t.Errorf("%v", r)
	}
	host.SetContext(context.Background())
	got := Run(tiny(), pets(), cfg)
	if got.Model.Fingerprint() != want.Model.Fingerprint() || got.Reused {
		t.Error("another model")
	}
	if _, r := stored(t); len(r) != 2 || r[1].Status != "completed" || r[1].ID != r[0].ID+".2" {
		t.Errorf("%v", r)
	}
	s, all := stored(t)
	if dir, _ := s.Checkpoints(all[1]); dir != "" {
		t.Error("the checkpoints of a completed run are still there")
	}
}

// A run that ends in NaN stands in the store as failed at its step.
func TestFailedRunSaysSo(t *testing.T) {
	storeIn(t)
	msg := stopped(t, func() {
		Run(tiny(), pets(), Config{LR: 1e30, Steps: 20, BatchSize: 3, Warmup: -1, Clip: -1, Quiet: true})
	})
	if !strings.Contains(msg, "wanted finite numbers") {
		t.Fatal(msg)
	}
	_, r := stored(t)
	if len(r) != 1 || r[0].Status != "failed" || r[0].Step < 2 || !strings.Contains(r[0].State(), "failed at step") {
		t.Fatalf("%v", r)
	}
	if r[0].Loss != nil && math.IsNaN(*r[0].Loss) {
		t.Error("a loss that is no number")
	}
}

func TestStoreThatCannotBeUsed(t *testing.T) {
	said := storeIn(t)
	file := filepath.Join(t.TempDir(), "a file")
	os.WriteFile(file, nil, 0o644)
	t.Setenv("TUNEBOOK_STORE", file)
	for range 2 {
		if r := Run(tiny(), pets(), Config{LR: 1e-2, Steps: 2, Quiet: true}); r.ID != "" || len(r.Log) != 2 {
			t.Errorf("%+v", r)
		}
	}
	if n := strings.Count(said.String(), "runs are not kept"); n != 1 {
		t.Errorf("said %d times\n%s", n, said)
	}
	t.Setenv("TUNEBOOK_STORE_LIMIT", "1.5 GB")
	if keep.Limit() != 15e8 {
		t.Error(keep.Limit())
	}
	t.Setenv("TUNEBOOK_STORE_LIMIT", "much")
	if msg := stopped(t, func() { keep.Limit() }); !strings.Contains(msg, `"much"`) {
		t.Error(msg)
	}
}
