package train

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tunebook/engine/backend"
	edata "tunebook/engine/data"
	core "tunebook/engine/train"
)

// The progress line has the loss, by source, the rate, the speed, the share of the device's peak and the memory.
func TestProgressLine(t *testing.T) {
	dev, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	m := tiny().Engine()
	tr, err := core.New(m.Clone(), []edata.Sequence{{IDs: []int32{1, 2}, Targets: []int32{2, ignore}}}, []string{"own", "broad"}, core.Config{LR: 1e-3, Steps: 4})
	if err != nil {
		t.Fatal(err)
	}
	f := newFigures(tr, []backend.Backend{dev}, []string{"own", "broad"})
	f.start = f.start.Add(-2 * time.Second)
	rep := Report{Step: 1, Loss: 2.5, LR: 1e-3, Tokens: 1000, Supervised: 400, BySource: Losses{2, math.NaN()}, Validation: Losses{3}}
	v := f.add(rep)
	line := f.line(rep)
	if !regexp.MustCompile(`^loss 2\.500 \(own 2\.000, broad –\), held out 3\.000, lr 0\.001, \d+ tokens/s, \d+ % of peak(, \d+\.\d\d GB)?$`).MatchString(line) {
		t.Error(line)
	}
	layers, head := m.Products()
	if want := 6 * float64(layers*1000+head*400); f.flops != want || layers != 8*8*4+8*16*3 || head != 262*8 {
		t.Errorf("%g operations; wanted %g (layers %d, head %d)", f.flops, want, layers, head)
	}
	if !(v["share of peak"] > 0) || v["share of peak"] > 1 || math.Abs(v["tokens per second"]-500) > 50 {
		t.Errorf("%v", v)
	}
}

// Callbacks and samples come with a run, and again with its hit; a prompt that cannot be asked ends it before the first update.
func TestCallbacksAndSamples(t *testing.T) {
	said := storeIn(t)
	var steps []int
	cfg := Config{LR: 1e-2, Steps: 4, BatchSize: 2, Sample: []string{"who barks", "who"}, SampleEvery: 2, SampleMax: 3,
		OnStep: func(r Report) { steps = append(steps, r.Step) }}
	first := Run(tiny(), pets(), cfg)
	if !slices.Equal(steps, []int{1, 2, 3, 4}) {
		t.Errorf("called for %v", steps)
	}
	var at []int
	for _, s := range first.Samples {
		at = append(at, s.Step)
	}
	if !slices.Equal(at, []int{0, 0, 2, 2, 4, 4}) || first.Samples[4].Output != first.Model.Ask("who barks", 3) {
		t.Errorf("%+v", first.Samples)
	}
	if !strings.Contains(said.String(), `step 4: "who barks" → `) {
		t.Errorf("%s", said)
	}
	st, r := found(t, first.ID)
	kept, err := st.Samples(r.ID)
	if err != nil || len(kept) != 6 || kept[4].Output != first.Samples[4].Output {
		t.Errorf("%+v", kept)
	}
	steps = nil
	again := Run(tiny(), pets(), cfg)
	if !again.Reused || !slices.Equal(steps, []int{1, 2, 3, 4}) || !slices.Equal(again.Samples, first.Samples) {
		t.Errorf("reused %v, called for %v, %d samples", again.Reused, steps, len(again.Samples))
	}
	cfg.Sample = []string{"another"}
	if r := Run(tiny(), pets(), cfg); r.Reused || r.Model.Fingerprint() != first.Model.Fingerprint() {
		t.Error("other samples come from the store, or change the model")
	}
	cfg.Sample = []string{strings.Repeat("who ", 100)}
	steps = nil
	if msg := stopped(t, func() { Run(tiny(), pets(), cfg) }); !strings.Contains(msg, "positions") || len(steps) > 0 {
		t.Errorf("%v %s", steps, msg)
	}
	if _, all := stored(t); all[len(all)-1].Status != "failed" {
		t.Errorf("%s", all[len(all)-1].State())
	}
}
