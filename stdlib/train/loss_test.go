package train

import (
	"math"
	"strings"
	"testing"

	"tunebook/stdlib/data"
	"tunebook/stdlib/grad"
	"tunebook/stdlib/model"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-5*max(1, math.Abs(want)) {
		t.Errorf("%s: %.9g; wanted %.9g", what, got, want)
	}
}

// A script's own loss, written in the operations of package grad, trains as the built-in that it repeats.
func TestCustomLoss(t *testing.T) {
	base, teacher := tiny(), tiny()
	teacher = Run(teacher, pets(), Config{LR: 1e-2, Steps: 3, Quiet: true}).Model
	cfg := Config{LR: 1e-2, Steps: 3, BatchSize: 2, Quiet: true, Seed: 1}
	with := func(l *Loss) *Result {
		c := cfg
		c.Loss = l
		return Run(base, pets(), c)
	}
	same := func(what string, a, b *Result) {
		t.Helper()
		for i := range a.Log {
			near(t, what, b.Log[i].Loss, a.Log[i].Loss)
			near(t, what+": norm", b.Log[i].GradNorm, a.Log[i].GradNorm)
		}
	}
	plain := Run(base, pets(), cfg)
	same("nll", plain, with(Custom("nll", PerToken, func(b *grad.Batch) *grad.Var { return b.NLL() })))
	same("log softmax", plain, with(Custom("log softmax", PerToken, func(b *grad.Batch) *grad.Var {
		return b.Logits().LogSoftmax().Pick(b.Targets()).Scale(-1)
	})))
	same("next token", plain, with(Together(Task{Loss: NextToken(), Weight: 1})))
	distilled := with(Distill(teacher, 2, 1))
	same("distillation", distilled, with(Custom("kl", PerToken, func(b *grad.Batch) *grad.Var {
		p := b.Of(teacher).Logits().Scale(0.5).LogSoftmax()
		q := b.Logits().Scale(0.5).LogSoftmax()
		return p.Exp().Mul(p.Sub(q)).RowSums().Scale(4)
	})))
	if !(distilled.Log[2].Loss < distilled.Log[0].Loss) || distilled.Log[0].Loss <= 0 {
		t.Errorf("%v", distilled.Losses())
	}
	perExample := with(Custom("by example", PerExample, func(b *grad.Batch) *grad.Var {
		// The mean of each example's tokens.
		of, n := b.ExampleOf(), make([]float32, b.Examples())
		for _, e := range of {
			n[e]++
		}
		w := make([]float32, b.Examples()*b.Tokens())
		for i, e := range of {
			w[e*b.Tokens()+i] = 1 / n[e]
		}
		return b.NLL().Mix(w)
	}))
	if perExample.Log[0].Loss == plain.Log[0].Loss || !(perExample.Log[0].Loss > 0) {
		t.Error("examples weigh as tokens do")
	}
	if msg := stopped(t, func() { with(Custom("wrong", PerToken, func(b *grad.Batch) *grad.Var { return b.Hidden() })) }); !strings.Contains(msg, "one number for each") {
		t.Error(msg)
	}
	if msg := stopped(t, func() { with(Together(Task{Loss: NextToken(), Source: "cars"})) }); !strings.Contains(msg, "the sources are pets") {
		t.Error(msg)
	}
}

// Preferences move towards the better answers, contrast brings partners together; both are kept and found in the store.
func TestPreferAndContrast(t *testing.T) {
	storeIn(t)
	base := tiny()
	pairs := []Pair{{Prompt: "who barks", Better: "a dog", Worse: "a cat"}, {Prompt: "who purrs", Better: "a cat", Worse: "a dog"}}
	cfg := Config{LR: 1e-2, Steps: 8, BatchSize: 2, Quiet: true}
	r := Prefer(base, "answers", pairs, 0.5, cfg)
	near(t, "no preference", r.Log[0].Loss, math.Ln2)
	if r.Log[7].Loss > 0.6 {
		t.Errorf("the better answers are not preferred: %v", r.Losses())
	}
	if again := Prefer(base, "answers", pairs, 0.5, cfg); !again.Reused {
		t.Error("the same preferences are another run")
	}
	if other := Prefer(base, "answers", pairs, 0.4, cfg); other.Reused {
		t.Error("another beta is the same run")
	}
	texts := [][]string{{"who barks", "a dog"}, {"who purrs", "a cat"}, {"what flies", "birds do"}}
	c := Contrast(base, "pairs", texts, 0.1, cfg)
	if c.Log[7].Loss > 0.5*c.Log[0].Loss {
		t.Errorf("partners are not nearer: %v", c.Losses())
	}
	for want, f := range map[string]func(){
		"the first has 2":    func() { Contrast(base, "x", [][]string{{"a", "b"}, {"a"}}, 0.1, cfg) },
		"no groups":          func() { Contrast(base, "x", nil, 0.1, cfg) },
		"Loss or Validation": func() { Prefer(base, "x", pairs, 0.1, Config{LR: 1, Validation: []*data.Set{pets()}}) },
		"beta is":            func() { Prefer(base, "x", pairs, 0, cfg) },
		"the name":           func() { Custom("", PerToken, func(b *grad.Batch) *grad.Var { return nil }) },
		"returned nil": func() {
			Run(base, pets(), Config{LR: 1, Loss: Custom("n", PerToken, func(b *grad.Batch) *grad.Var { return nil })})
		},
		"wanted one vocabulary": func() { Run(base, pets(), Config{LR: 1, Quiet: true, Loss: Distill(model.Open("base"), 1, 1)}) },
	} {
		if msg := stopped(t, f); !strings.Contains(msg, want) {
			t.Errorf("%q is not in %q", want, msg)
		}
	}
}
