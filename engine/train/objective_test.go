package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/grad"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// other returns the tiny model with other weights.
func other(t *testing.T, device string) *model.Model {
	t.Helper()
	m := tinyModel(t, device)
	dev, err := backend.Open(device)
	if err != nil {
		t.Fatal(err)
	}
	o, err := model.New(dev, m.Config, 2)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// pairs returns n groups of sequences, each with at least one supervised token.
func pairs(n, group int) []data.Sequence {
	r := tensor.NewRNG(9, "pairs")
	var out []data.Sequence
	for i := range n * group {
		length := 3 + r.Intn(6)
		s := data.Sequence{Source: i / group % 2, Row: i}
		for j := range length {
			s.IDs, s.Targets = append(s.IDs, int32(r.Intn(23))), append(s.Targets, backend.IgnoreIndex)
			if j > 0 && j >= length/2 {
				s.Targets[j-1] = s.IDs[j]
			}
		}
		out = append(out, s)
	}
	return out
}

// builtin makes every built-in objective.
func builtin(t *testing.T, device string) map[string]*Objective {
	t.Helper()
	must := func(p Part, err error) Part {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	next := NextToken()
	next.Weight, next.Sources = 0.25, []int{1}
	return map[string]*Objective{
		"next token":   {Name: "n", Parts: []Part{NextToken()}},
		"distillation": {Name: "d", Parts: []Part{must(Distillation(other(t, device), 2, 0.7))}},
		"preference":   {Name: "p", Group: 2, Parts: []Part{must(Preference(other(t, device), 0.5))}},
		"contrast":     {Name: "c", Group: 2, Parts: []Part{must(Contrast(2, 0.2))}},
		"wrong ones":   {Name: "w", Group: 3, Parts: []Part{must(Contrast(3, 0.2))}},
		"several":      {Name: "s", Group: 2, Parts: []Part{must(Preference(other(t, device), 0.5)), next}},
	}
}

// The gradient of every objective is that of central differences in a weight of the model; passes of any size give the
// same loss and norm.
func TestObjectives(t *testing.T) { both(t, objectives) }

func objectives(t *testing.T, device string) {
	for name, o := range builtin(t, device) {
		group := max(1, o.Group)
		seqs := pairs(6, group)
		var first Report
		for _, micro := range []int{1 << 20, 20, 1} {
			m := tinyModel(t, device)
			tr, err := New(m, seqs, []string{"a", "b"}, Config{LR: 1e-9, Steps: 1, BatchSize: 6, MicroTokens: micro, Objective: o, Clip: -1})
			if err != nil {
				t.Fatal(name, err)
			}
			all := make([]int, len(seqs))
			for i := range all {
				all[i] = i
			}
			kept := &keeping{tr.opt, tr.params, nil}
			tr.opt = kept
			r, err := tr.Step(tr.micro(seqs, all))
			if err != nil {
				t.Fatal(name, err)
			}
			if micro != 1<<20 {
				if math.Abs(r.Loss-first.Loss) > 2e-5*math.Abs(first.Loss) || math.Abs(r.GradNorm-first.GradNorm) > 2e-4*first.GradNorm {
					t.Errorf("%s: passes of %d tokens: loss %.9g, norm %.9g; in one pass %.9g, %.9g", name, micro, r.Loss, r.GradNorm, first.Loss, first.GradNorm)
				}
				tr.Close()
				continue
			}
			first = r
			if !(r.GradNorm > 0) || len(r.BySource) != 2 || bad(r.BySource[1]) {
				t.Errorf("%s: %+v", name, r)
			}
			p := m.Param("model.layers.1.self_attn.v_proj.weight")
			g, x := kept.of[slices.Index(tr.params, p)], values(t, m, p.Name)
			loss := func() float64 {
				sum := 0.0
				for i := range o.Parts {
					part := &o.Parts[i]
					b := part.of(data.Pack(seqs))
					x, _, err := tr.pass(tr.replicas[0], i, input(b), b, part.Units(b), 1, false)
					if err != nil {
						t.Fatal(err)
					}
					for _, l := range x {
						sum += part.weight() / float64(len(x)) * float64(l)
					}
				}
				return sum
			}
			for _, i := range []int{0, 7, 13} {
				const h = 1e-2
				old := x[i]
				at := func(d float32) float64 {
					x[i] = old + d
					m.Device().Upload(p.Value, x)
					return loss()
				}
				want := (at(h) - at(-h)) / (2 * h)
				at(0)
				x[i] = old
				if math.Abs(want-float64(g[i])) > 3e-3*(1+math.Abs(want)) {
					t.Errorf("%s: %s[%d]: gradient %g, central difference %g", name, p.Name, i, g[i], want)
				}
			}
			tr.Close()
		}
	}
}

// The losses are those of their formulas.
func TestObjectiveFormulas(t *testing.T) {
	m, ref := tinyModel(t, "ref"), other(t, "ref")
	seqs := pairs(3, 2)
	step := func(o *Objective) Report {
		t.Helper()
		tr, err := New(m.Clone(), seqs, []string{"a", "b"}, Config{LR: 1e-9, Steps: 1, BatchSize: 6, Objective: o})
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		return tr.Log[0]
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-5*max(1, math.Abs(want)) {
			t.Errorf("%s: %.9g; wanted %.9g", what, got, want)
		}
	}
	nll := func(m *model.Model, s data.Sequence) float64 {
		x, _, err := Loss(m, []data.Sequence{s}, 100)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	all, n, err := Loss(m, seqs, 100)
	if err != nil {
		t.Fatal(err)
	}
	near("next token", step(&Objective{Name: "n", Parts: []Part{NextToken()}}).Loss, all/float64(n))
	want := 0.0
	for i := 0; i < len(seqs); i += 2 {
		margin := (nll(m, seqs[i+1]) - nll(m, seqs[i])) - (nll(ref, seqs[i+1]) - nll(ref, seqs[i]))
		want += math.Log1p(math.Exp(-0.5*margin)) / 3
	}
	pref, err := Preference(ref, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	near("preference", step(&Objective{Name: "p", Group: 2, Parts: []Part{pref}}).Loss, want)
	self, _ := Preference(m, 0.5)
	near("preference over itself", step(&Objective{Name: "p", Group: 2, Parts: []Part{self}}).Loss, math.Ln2)
	d, _ := Distillation(m, 3, 1)
	if r := step(&Objective{Name: "d", Parts: []Part{d}}); math.Abs(r.Loss) > 1e-6 || r.GradNorm > 1e-5 {
		t.Errorf("distillation from itself: loss %g, norm %g", r.Loss, r.GradNorm)
	}
	d, _ = Distillation(ref, 3, 0)
	near("distillation of share 0", step(&Objective{Name: "d", Parts: []Part{d}}).Loss, all/float64(n))
	c, _ := Contrast(2, 0.2)
	tape := grad.New(m.Device(), false)
	b := data.Pack(seqs)
	e, err := tape.Values(m.Embed(tape, input(b)))
	if err != nil {
		t.Fatal(err)
	}
	tape.Free()
	C := m.Config.HiddenSize
	want = 0
	for i := 0; i < 6; i += 2 {
		sum, own := 0.0, 0.0
		for j := 1; j < 6; j += 2 {
			dot := 0.0
			for k := range C {
				dot += float64(e[i*C+k]) * float64(e[j*C+k])
			}
			sum += math.Exp(dot / 0.2)
			if j == i+1 {
				own = dot / 0.2
			}
		}
		want += (math.Log(sum) - own) / 3
	}
	near("contrast", step(&Objective{Name: "c", Group: 2, Parts: []Part{c}}).Loss, want)
	// Tasks: weights times means, each over its own units.
	next := NextToken()
	next.Weight, next.Sources = 0.25, []int{1}
	one, k, err := Loss(m, seqs[2:4], 100) // the only pair of source 1
	if err != nil {
		t.Fatal(err)
	}
	near("several", step(&Objective{Name: "s", Group: 2, Parts: []Part{self, next}}).Loss, math.Ln2+0.25*one/float64(k))
}

// Groups stay together in every epoch, and a run with an objective, measured on the way, resumes to the same bits.
func TestObjectiveResumes(t *testing.T) {
	o := builtin(t, "cpu")["several"]
	cfg := Config{LR: 1e-2, Epochs: 3, BatchSize: 2, Objective: o, Validation: pairs(3, 2), ValidateEvery: 2, NEFTune: 1, Recompute: true, Every: 3}
	seqs := pairs(7, 2)
	run := func(m *model.Model, stop int) *Trainer {
		tr, err := New(m, seqs, []string{"a", "b"}, cfg)
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
	m := tinyModel(t, "cpu")
	straight := run(m, 0)
	if len(straight.Log) != 12 || straight.Log[1].Validation == nil {
		t.Fatalf("7 groups by 2, three times: %d updates", len(straight.Log))
	}
	for e := range 3 {
		order := straight.order(e)
		for i := 0; i < len(order); i += 2 {
			if order[i]%2 != 0 || order[i+1] != order[i]+1 {
				t.Fatalf("epoch %d parts a pair: %v", e, order)
			}
		}
		if slices.Sort(order); order[13] != 13 {
			t.Fatalf("epoch %d: %v", e, order)
		}
	}
	if l := losses(straight); l[11] >= l[0] {
		t.Errorf("the loss does not fall: %v", l)
	}
	cfg.Dir = t.TempDir()
	run(tinyModel(t, "cpu"), 5)
	again := tinyModel(t, "cpu")
	run(again, 0)
	if fingerprint(t, again) != fingerprint(t, m) {
		t.Error("other weights than the straight run's")
	}
	o2 := *o
	o2.Name = "another"
	cfg.Objective = &o2
	var is *OtherRun
	if _, err := New(tinyModel(t, "cpu"), seqs, []string{"a", "b"}, cfg); !errors.As(err, &is) {
		t.Errorf("a run of another objective: %v", err)
	}
}

func TestObjectivesRefuse(t *testing.T) {
	p, err := Preference(tinyModel(t, "cpu"), 0.1)
	if err != nil {
		t.Fatal(err)
	}
	odd := NextToken()
	odd.Loss = func(t *grad.Tape, m *model.Model, in model.Input, b data.Batch) (*grad.Var, error) {
		return m.Forward(t, in), nil
	}
	none := pairs(2, 2)
	for i := range none {
		none[i].Targets = slices.Repeat([]int32{backend.IgnoreIndex}, len(none[i].IDs))
	}
	for want, f := range map[string]func() error{
		"groups of 2": func() error {
			_, err := New(tinyModel(t, "cpu"), pairs(3, 1), []string{"a", "b"}, Config{LR: 1, Objective: &Objective{Name: "p", Group: 2, Parts: []Part{p}}})
			return err
		},
		"wanted a name": func() error { return Config{LR: 1, Objective: &Objective{Parts: []Part{p}}}.Check() },
		"Weights": func() error {
			return Config{LR: 1, Weights: []float64{1}, Objective: &Objective{Name: "p", Parts: []Part{p}}}.Check()
		},
		"one number for each": func() error {
			tr, err := New(tinyModel(t, "cpu"), pairs(2, 1), []string{"a", "b"}, Config{LR: 1, Objective: &Objective{Name: "o", Parts: []Part{odd}}})
			if err != nil {
				return err
			}
			return tr.Run(context.Background(), nil)
		},
		"no supervised token": func() error {
			tr, err := New(tinyModel(t, "cpu"), none, []string{"a", "b"}, Config{LR: 1, Objective: &Objective{Name: "p", Group: 2, Parts: []Part{p}}})
			if err != nil {
				return err
			}
			return tr.Run(context.Background(), nil)
		},
		"no supervised tokens": func() error {
			tr, err := New(tinyModel(t, "cpu"), none, []string{"a", "b"}, Config{LR: 1, Objective: &Objective{Name: "n", Parts: []Part{NextToken()}}})
			if err != nil {
				return err
			}
			return tr.Run(context.Background(), nil)
		},
		"beta is":        func() error { _, err := Preference(nil, 0); return err },
		"temperature is": func() error { _, err := Distillation(nil, 0, 1); return err },
		"at least 2":     func() error { _, err := Contrast(1, 1); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// keeping is an optimizer that keeps the gradients that it was handed.
type keeping struct {
	optimizer
	params []*grad.Param
	of     [][]float32
}

func (o *keeping) step(masters []backend.Buffer, u update) error {
	o.of = nil
	for _, p := range o.params {
		o.of = append(o.of, slices.Clone(p.Grad.(*backend.HostBuffer).F))
	}
	return o.optimizer.step(masters, u)
}
