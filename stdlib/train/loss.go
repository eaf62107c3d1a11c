package train

import (
	"fmt"
	"slices"
	"strings"

	edata "tunebook/engine/data"
	egrad "tunebook/engine/grad"
	emodel "tunebook/engine/model"
	core "tunebook/engine/train"
	"tunebook/stdlib/data"
	"tunebook/stdlib/grad"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// Loss is what a run makes small in place of the next token's negative log-likelihood. Its losses are averaged once an
// update, so a result does not depend on how the update was split into passes.
type Loss struct {
	name  string
	parts []core.Part
	tasks []string // the source that each part is computed on; "" for all
}

// Per says what a custom loss has one number for.
type Per int

// A loss has one number for each trained token, or for each example.
const (
	PerToken Per = iota
	PerExample
)

// Custom is a loss that the script writes: f returns a column of one number for each trained token or example of the
// batch. name stands for f in the run's identity, so it must change when f does.
func Custom(name string, per Per, f func(b *grad.Batch) *grad.Var) *Loss {
	const op = "train.Custom"
	if name == "" || f == nil {
		stop.Now(op, "the name or the function is empty", "the name stands for the function in the run's identity")
	}
	units := func(b edata.Batch) int { return b.Supervised }
	if per == PerExample {
		units = func(b edata.Batch) int { return len(b.Segments) }
	}
	return &Loss{name: "custom " + name, tasks: []string{""}, parts: []core.Part{{Name: name, Units: units,
		Loss: func(t *egrad.Tape, m *emodel.Model, in emodel.Input, b edata.Batch) (*egrad.Var, error) {
			batch, done := grad.Wrap(t, m, in, b)
			defer done()
			v := f(batch)
			if v == nil {
				return nil, fmt.Errorf("%s: %s returned nil", op, name)
			}
			return v.Engine(), nil
		}}}}
}

// NextToken is the usual loss, for Together.
func NextToken() *Loss {
	return &Loss{name: "next token", tasks: []string{""}, parts: []core.Part{core.NextToken()}}
}

// Distill makes the model like a teacher of the same vocabulary: share·KL(teacher ‖ model)·T² + (1-share)·nll on each trained
// token, at a temperature T. All logits of a pass are held several times: set MicroTokens low for a large vocabulary.
func Distill(teacher *model.Model, temperature, share float64) *Loss {
	p, err := core.Distillation(teacher.Engine(), temperature, share)
	stop.If("train.Distill", err)
	return &Loss{name: fmt.Sprintf("distill %s %g %g", teacher.Fingerprint(), temperature, share), tasks: []string{""}, parts: []core.Part{p}}
}

// Task is one of several losses. Source names the source of the mix that it is computed on; empty means all.
type Task struct {
	Loss   *Loss
	Weight float64 // 0 means 1
	Source string
}

// Together is the weighted sum of several losses, each the mean over its own tokens or examples of an update.
func Together(tasks ...Task) *Loss {
	const op = "train.Together"
	if len(tasks) == 0 {
		stop.Now(op, "no tasks; wanted at least one", "")
	}
	out := &Loss{}
	var names []string
	for i, t := range tasks {
		if t.Loss == nil {
			stop.Now(op, fmt.Sprintf("task %d has no Loss", i+1), "NextToken() is the usual one")
		}
		weight := t.Weight
		if weight == 0 {
			weight = 1
		}
		for j, p := range t.Loss.parts {
			if p.Weight == 0 {
				p.Weight = 1
			}
			p.Weight *= weight
			source := t.Source
			if source == "" {
				source = t.Loss.tasks[j]
			}
			out.parts, out.tasks = append(out.parts, p), append(out.tasks, source)
		}
		names = append(names, fmt.Sprintf("%g·%s of %q", weight, t.Loss.name, t.Source))
	}
	out.name = "together " + strings.Join(names, ", ")
	return out
}

// objective is the loss for sources of these names.
func (l *Loss) objective(op string, sources []string) *core.Objective {
	if l == nil {
		return nil
	}
	o := &core.Objective{Name: l.name, Parts: slices.Clone(l.parts)}
	for i, name := range l.tasks {
		if name == "" {
			continue
		}
		at := slices.Index(sources, name)
		if at < 0 {
			stop.Now(op, fmt.Sprintf("Loss: a task is on source %q; the sources are %s", name, strings.Join(sources, ", ")), "")
		}
		o.Parts[i].Sources = []int{at}
	}
	return o
}

// plain refuses what only Run knows.
func plain(op string, cfg Config) {
	if cfg.Loss != nil || len(cfg.Validation) > 0 {
		stop.Now(op, "Loss or Validation is set; this call has a loss of its own, and validation sets are for Run", "for a score on the way set Score")
	}
}

// Pair is a prompt with two answers, of which one is better.
type Pair struct {
	System, Prompt string
	Better, Worse  string
}

// Prefer tunes base to prefer the better answer of each pair over the worse, by direct preference optimisation against base
// itself; beta is how strongly it is held near base, 0.1 being usual. Losses are per pair; log 2 is that of no preference.
func Prefer(base *model.Model, name string, pairs []Pair, beta float64, cfg Config) *Result {
	const op = "train.Prefer"
	plain(op, cfg)
	part, err := core.Preference(base.Engine(), beta)
	stop.If(op, err)
	rows := make([]data.Example, 0, 2*len(pairs))
	for _, p := range pairs {
		for _, answer := range []string{p.Better, p.Worse} {
			rows = append(rows, data.Example{System: p.System, Prompt: p.Prompt, Answer: answer})
		}
	}
	set := data.New(name, rows)
	enc, err := data.Encoding{Train: cfg.Train, MaxLen: cfg.MaxLen, Policy: cfg.Policy}.Engine(op, base).Set(set.Engine())
	stop.If(op, err)
	if len(enc.Sequences) != len(rows) {
		stop.Now(op, fmt.Sprintf("%d of %d answers were dropped for their length, and a pair needs both", len(rows)-len(enc.Sequences), len(rows)), "raise MaxLen or choose another Policy")
	}
	r := fit(op, base, input{seqs: enc.Sequences, sources: enc.Sources, name: name,
		objective: &core.Objective{Name: fmt.Sprintf("prefer %g", beta), Group: 2, Parts: []core.Part{part}}}, cfg)
	r.Mix = set
	return r
}

// Contrast tunes base so that the texts of each group are near one another and far from all other texts of the update, by
// the softmax of cosine similarities over temperature (0.05 being usual): InfoNCE. A group is a text and its partner, then,
// in all groups alike, texts that are known to be wrong. Vectors are means of hidden states. BatchSize counts groups, and an
// update is one pass.
func Contrast(base *model.Model, name string, groups [][]string, temperature float64, cfg Config) *Result {
	const op = "train.Contrast"
	plain(op, cfg)
	if len(groups) == 0 {
		stop.Now(op, "no groups of texts; wanted at least two", "")
	}
	size := len(groups[0])
	part, err := core.Contrast(size, temperature)
	stop.If(op, err)
	var seqs []edata.Sequence
	rows := make([]data.Example, 0, len(groups)*size)
	for i, g := range groups {
		if len(g) != size {
			stop.Now(op, fmt.Sprintf("group %d has %d texts; the first has %d", i, len(g), size), "")
		}
		for _, text := range g {
			ids := base.Engine().TextIDs(text)
			if len(ids) == 0 {
				stop.Now(op, fmt.Sprintf("group %d has a text without tokens", i), "")
			}
			s := edata.Sequence{IDs: ids, Row: i, Targets: make([]int32, len(ids))}
			for j := range s.Targets {
				s.Targets[j] = ignore
			}
			seqs = append(seqs, s)
			rows = append(rows, data.Example{Prompt: text})
		}
	}
	r := fit(op, base, input{seqs: seqs, sources: []string{name}, name: name,
		objective: &core.Objective{Name: fmt.Sprintf("contrast %d %g", size, temperature), Group: size, Parts: []core.Part{part}}}, cfg)
	r.Mix = data.New(name, rows)
	return r
}
