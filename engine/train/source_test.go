package train

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/grad"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// gradients returns the summed loss of batches and the gradient of every parameter.
func gradients(t *testing.T, m *model.Model, batches []data.Batch, weights func(b data.Batch) []float32) (nll float64, g map[string][]float32) {
	t.Helper()
	for _, p := range m.Params() {
		p.Grad = zeros(m.Device(), p.Len())
		m.Device().Fill(p.Grad, 0)
	}
	for _, b := range batches {
		var w []float32
		if weights != nil {
			w = weights(b)
		}
		tape := grad.New(m.Device(), true)
		buf, rows := m.Loss(tape, input(b), b.Targets, w, 1)
		if rows > 0 {
			tape.Backward()
			host := make([]float32, rows)
			if err := m.Device().Download(host, buf); err != nil {
				t.Fatal(err)
			}
			for _, x := range host {
				nll += float64(x)
			}
		}
		tape.Free()
	}
	g = map[string][]float32{}
	for _, p := range m.Params() {
		x := make([]float32, p.Len())
		if err := m.Device().Download(x, p.Grad); err != nil {
			t.Fatal(err)
		}
		g[p.Name] = x
		m.Device().Free(p.Grad)
		p.Grad = nil
	}
	return nll, g
}

// worst returns the largest difference of two gradients, relative to the largest element of its tensor.
func worst(a, b map[string][]float32) (d float64) {
	for name, x := range a {
		top, diff := 0.0, 0.0
		for i := range x {
			top = max(top, math.Abs(float64(x[i])))
			diff = max(diff, math.Abs(float64(x[i])-float64(b[name][i])))
		}
		if top > 0 {
			d = max(d, diff/top)
		}
	}
	return d
}

// A pack of documents of any lengths has the loss of its documents one at a time, within 1e-6 relative, and their
// gradients, within 1e-5 of each tensor's largest element, on ref; on cpu within 2e-6 and 2e-5.
func TestPackIsSingles(t *testing.T) { both(t, packIsSingles) }

func packIsSingles(t *testing.T, device string) {
	bound := map[string]float64{"ref": 1e-6, "cpu": 2e-6}[device]
	m := tinyModel(t, device)
	r := tensor.NewRNG(5, "lengths")
	for trial := range 4 {
		var seqs []data.Sequence
		for i := range 1 + r.Intn(6) {
			n := 1 + r.Intn(20)
			s := data.Sequence{Row: i, IDs: make([]int32, n), Targets: make([]int32, n)}
			for j := range s.IDs {
				s.IDs[j], s.Targets[j] = int32(r.Intn(23)), backend.IgnoreIndex
			}
			for j := range n - 1 {
				if r.Intn(3) > 0 {
					s.Targets[j] = s.IDs[j+1]
				}
			}
			seqs = append(seqs, s)
		}
		seqs = append(seqs, sequences(1)...)
		var singles []data.Batch
		for i := range seqs {
			singles = append(singles, data.Pack(seqs[i:i+1]))
		}
		packed, pg := gradients(t, m, []data.Batch{data.Pack(seqs)}, nil)
		alone, ag := gradients(t, m, singles, nil)
		if math.Abs(packed-alone) > bound*alone || alone == 0 {
			t.Errorf("trial %d, %d documents: nll %.9g packed, %.9g alone", trial, len(seqs), packed, alone)
		}
		if d := worst(ag, pg); d > 10*bound {
			t.Errorf("trial %d: gradients differ by %g", trial, d)
		}
	}
}

// Weights of 1 change no bit; with others an update's gradient is that of Σ weight·nll / Σ weight, however it is split.
func TestSourceWeights(t *testing.T) { both(t, sourceWeights) }

func sourceWeights(t *testing.T, device string) {
	plain, ones := tinyModel(t, device), tinyModel(t, device)
	cfg := Config{LR: 1e-2, Steps: 3, BatchSize: 6, Clip: -1}
	fit(t, plain, 20, cfg)
	cfg.Weights = []float64{1, 1}
	fit(t, ones, 20, cfg)
	if fingerprint(t, plain) != fingerprint(t, ones) {
		t.Error("weights of 1 change the result")
	}
	m := tinyModel(t, device)
	seqs := sequences(6)
	batches := microBatches(seqs, []int{0, 1, 2, 3, 4, 5}, 1<<20, 1)
	w := map[int]float64{0: 1, 1: 0.25}
	_, want := gradients(t, m, batches, func(b data.Batch) (out []float32) {
		for _, s := range b.SourceOf {
			out = append(out, float32(w[s]))
		}
		return out
	})
	total := 0.0
	for _, s := range seqs {
		total += w[s.Source] * float64(s.Supervised())
	}
	for name := range want {
		for i := range want[name] {
			want[name][i] /= float32(total)
		}
	}
	for _, micro := range []int{1, 1 << 20} {
		tr, err := New(tinyModel(t, device), seqs, []string{"a", "b"}, Config{LR: 1e-2, Steps: 1, BatchSize: 6, MicroTokens: micro, Weights: []float64{1, 0.25}})
		if err != nil {
			t.Fatal(err)
		}
		kept := &keeping{tr.opt, tr.params, nil}
		tr.opt = kept
		if _, err := tr.Step(microBatches(seqs, []int{0, 1, 2, 3, 4, 5}, micro, 1)); err != nil {
			t.Fatal(err)
		}
		got := map[string][]float32{}
		for i, p := range tr.params {
			got[p.Name] = kept.of[i]
		}
		if d := worst(want, got); d > 2e-5 {
			t.Errorf("passes of %d tokens: gradients differ by %g", micro, d)
		}
		tr.Close()
	}
	for _, bad := range [][]float64{{1}, {1, 0}, {1, -1}, {1, math.NaN()}} {
		if _, err := New(tinyModel(t, device), seqs, []string{"a", "b"}, Config{LR: 1, Weights: bad}); err == nil {
			t.Errorf("weights %v were taken", bad)
		}
	}
}

// places gives sequences those of a mix in blocks of four, two rows of each source in each.
func places(seqs []data.Sequence) []data.Sequence {
	for i := range seqs {
		seqs[i].Key, seqs[i].Block = tensor.NewRNG(0, string(rune('a'+i))).Uint64(), i/4+1
	}
	return seqs
}

// Losses by source, in training and in validation, survive a stop in the middle of an epoch with the weights, and a mix's
// blocks hold in every update.
func TestSourcesResume(t *testing.T) { both(t, sourcesResume) }

func sourcesResume(t *testing.T, device string) {
	cfg := Config{LR: 1e-2, Epochs: 3, BatchSize: 4, Seed: 0, Validation: sequences(7)[4:], ValidateEvery: 2}
	run := func(m *model.Model, cfg Config, stop int) *Trainer {
		tr, err := New(m, places(sequences(20)), []string{"a", "b"}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if err := tr.Run(ctx, func(r Report) {
			if r.Step == stop {
				cancel()
			}
		}); err != nil && stop == 0 {
			t.Fatal(err)
		}
		return tr
	}
	m := tinyModel(t, device)
	straight := run(m, cfg, 0)
	for e := range 3 {
		order := straight.order(e)
		for i := range order {
			if order[i]/4 != i/4 {
				t.Fatalf("epoch %d leaves the blocks: %v", e, order)
			}
		}
	}
	for i, r := range straight.Log {
		if (r.Validation != nil) != ((i+1)%2 == 0 || i+1 == 15) || len(r.BySource) != 2 {
			t.Fatalf("update %d: %+v", i+1, r)
		}
	}
	nll, n, err := Loss(m, cfg.Validation, 100)
	if err != nil {
		t.Fatal(err)
	}
	last := straight.Log[14].Validation
	counts := [2]float64{}
	for _, s := range cfg.Validation {
		counts[s.Source] += float64(s.Supervised())
	}
	if got := (last[0]*counts[0] + last[1]*counts[1]) / float64(n); math.Abs(got-nll/float64(n)) > 1e-6 {
		t.Errorf("validation by source makes %g, in all it is %g", got, nll/float64(n))
	}
	cfg.Dir = t.TempDir()
	run(tinyModel(t, device), cfg, 7)
	again := tinyModel(t, device)
	resumed := run(again, cfg, 0)
	if fingerprint(t, again) != fingerprint(t, m) {
		t.Error("other weights than the straight run's")
	}
	a, _ := json.Marshal(straight.Log)
	b, _ := json.Marshal(resumed.Log)
	if string(a) != string(b) || !reflect.DeepEqual(straight.Log[3].BySource, resumed.Log[3].BySource) {
		t.Error("another log than the straight run's")
	}
}

func TestLossesJSON(t *testing.T) {
	in := Losses{1.0 / 3, math.NaN(), 0}
	b, err := json.Marshal(Report{BySource: in})
	if err != nil {
		t.Fatal(err)
	}
	var out Report
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if out.BySource[0] != in[0] || !math.IsNaN(out.BySource[1]) || out.BySource[2] != 0 || out.Validation != nil {
		t.Errorf("%s → %v", b, out)
	}
	if !slices.Equal(out.BySource[:1], in[:1]) {
		t.Error("not the same bits")
	}
}
