package train

import (
	"fmt"
	"slices"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/grad"
	"tunebook/engine/model"
)

// Objective is what a run makes small, where that is not the next token's negative log-likelihood: the sum over its parts of
// weight times the mean of the part's losses over all units of an update. A mean is taken once an update, so the result
// does not depend on how the update was split into passes, unless a part says Whole.
type Objective struct {
	Name  string // stands for the objective in the run's identity
	Group int    // sequences that belong together and lie one behind the other, such as a question's better and worse answer; 1
	Parts []Part
}

// Part is one loss of an objective.
type Part struct {
	Name    string
	Weight  float64 // 0 means 1
	Sources []int   // of the sequences that it is computed on; nil for all
	Whole   bool    // all of an update must be in one pass, because its examples are compared with one another
	// Units returns the number of losses that a batch has: of its tokens, documents or groups. 0 leaves the batch out.
	Units func(b data.Batch) int
	// Loss returns them, (Units, 1), on the tape. It uses no other parameters than the model's.
	Loss LossFunc
	// On returns what Loss is for a copy of the model on another device, where it runs at the same time as Loss does: with copies there of
	// the other models that it asks, which free gives back. It is nil where the part is for one device alone.
	On func(dev backend.Backend) (loss LossFunc, free func(), err error)
}

// LossFunc is how a part's losses are computed of a batch.
type LossFunc func(t *grad.Tape, m *model.Model, in model.Input, b data.Batch) (*grad.Var, error)

// alike is On of a part that asks no other model.
func alike(f LossFunc) func(backend.Backend) (LossFunc, func(), error) {
	return func(backend.Backend) (LossFunc, func(), error) { return f, func() {}, nil }
}

// asking is On of a part that asks another model.
func asking(other *model.Model, f func(other *model.Model) LossFunc) func(backend.Backend) (LossFunc, func(), error) {
	return func(dev backend.Backend) (LossFunc, func(), error) {
		m, err := other.On(dev)
		if err != nil {
			return nil, nil, err
		}
		return f(m), m.Close, nil
	}
}

func (o *Objective) check() error {
	if o.Name == "" || len(o.Parts) == 0 || o.Group < 0 {
		return fmt.Errorf("train.Config: Objective: the name is %q, there are %d parts, Group is %d; wanted a name, at least one part, and 1 or more", o.Name, len(o.Parts), o.Group)
	}
	for _, p := range o.Parts {
		if p.Units == nil || p.Loss == nil || !(p.Weight >= 0) || bad(p.Weight) {
			return fmt.Errorf("train.Config: Objective %s: part %q: wanted Units, Loss and a weight of 0 or more, not %g", o.Name, p.Name, p.Weight)
		}
	}
	return nil
}

// group returns how many sequences belong together.
func (c *Config) group() int {
	if c.Objective == nil || c.Objective.Group == 0 {
		return 1
	}
	return c.Objective.Group
}

// whole tells whether an update is one pass.
func (c *Config) whole() bool {
	return c.Objective != nil && slices.ContainsFunc(c.Objective.Parts, func(p Part) bool { return p.Whole })
}

func (p *Part) weight() float64 {
	if p.Weight == 0 {
		return 1
	}
	return p.Weight
}

// of returns the documents of a batch that the part is computed on.
func (p *Part) of(b data.Batch) data.Batch {
	if p.Sources == nil {
		return b
	}
	var seqs []data.Sequence
	for _, s := range b.Segments {
		if slices.Contains(p.Sources, b.SourceOf[s.QStart]) {
			seqs = append(seqs, data.Sequence{IDs: b.IDs[s.QStart : s.QStart+s.QLen], Targets: b.Targets[s.QStart : s.QStart+s.QLen], Source: b.SourceOf[s.QStart]})
		}
	}
	return data.Pack(seqs)
}

// losses returns a part's losses of a batch, which f computes, and the source of each, -1 where a unit is neither a supervised token nor a
// group of documents.
func (p *Part) losses(f LossFunc, t *grad.Tape, m *model.Model, in model.Input, b data.Batch, group, units int) (*grad.Var, []int, error) {
	v, err := f(t, m, in, b)
	if err != nil {
		return nil, nil, err
	}
	if v == nil || v.Rows != units || v.Cols != 1 {
		rows, cols := 0, 0
		if v != nil {
			rows, cols = v.Rows, v.Cols
		}
		return nil, nil, fmt.Errorf("train: the loss %q is (%d, %d); wanted one number for each of the batch's %d units", p.Name, rows, cols, units)
	}
	source := make([]int, units)
	switch {
	case units == len(b.Segments)/group:
		for i := range source {
			source[i] = b.SourceOf[b.Segments[i*group].QStart]
		}
	case units == b.Supervised:
		i := 0
		for pos, target := range b.Targets {
			if target != backend.IgnoreIndex {
				source[i] = b.SourceOf[pos]
				i++
			}
		}
	default:
		for i := range source {
			source[i] = -1
		}
	}
	return v, source, t.Err()
}

// account sums losses by source.
type account struct {
	sum      float64
	bySource []float64
	count    []int
}

func (a *account) add(weight, loss float64, source int) {
	a.sum += weight * loss
	if source >= 0 {
		a.bySource[source] += loss
		a.count[source]++
	}
}

func (a *account) losses() Losses {
	out := make(Losses, len(a.bySource))
	for i := range out {
		out[i] = a.bySource[i] / float64(a.count[i])
	}
	return out
}

// objective makes the gradients of an update's micro-batches, on the device of each share, and returns the loss, by source too.
func (t *Trainer) objective(shares [][]data.Batch) (account, error) {
	o := t.cfg.Objective
	a := account{bySource: make([]float64, len(t.Sources)), count: make([]int, len(t.Sources))}
	type work struct {
		data.Batch
		units, first int // first is the place in the update of the batch's first document
		losses       []float32
		source       []int
	}
	todo := make([][][]work, len(o.Parts)) // by part, device and micro-batch
	totals, all := make([]int, len(o.Parts)), 0
	for i := range o.Parts {
		p, documents := &o.Parts[i], 0
		todo[i] = make([][]work, len(shares))
		for k, micro := range shares {
			for _, b := range micro {
				w := work{Batch: p.of(b), first: documents}
				if len(w.IDs) > 0 {
					w.units = p.Units(w.Batch)
				}
				documents += len(w.Segments)
				totals[i] += w.units
				todo[i][k] = append(todo[i][k], w)
			}
		}
		all += totals[i]
	}
	if all == 0 {
		return a, &data.NoSupervision{Of: len(slices.Concat(shares...))}
	}
	if err := t.spread(); err != nil {
		return a, err
	}
	scale := func(i int) float64 { return o.Parts[i].weight() / float64(totals[i]) }
	if err := t.each(func(k int, r *replica) (err error) {
		for i := range todo {
			for j := range todo[i][k] {
				w := &todo[i][k][j]
				if w.units == 0 {
					continue
				}
				in := t.input(w.Batch, w.first)
				if w.losses, w.source, err = t.pass(r, i, in, w.Batch, w.units, scale(i), true); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return a, err
	}
	for i := range todo {
		for _, w := range slices.Concat(todo[i]...) {
			for j, l := range w.losses {
				a.add(scale(i), float64(l), w.source[j])
			}
		}
	}
	return a, nil
}

// pass computes the losses of one batch of a part, returns them with the source of each, and, with record, makes the gradients of
// scale·Σ losses.
func (t *Trainer) pass(r *replica, part int, in model.Input, b data.Batch, units int, scale float64, record bool) ([]float32, []int, error) {
	tape := t.tape(r.dev, record)
	defer tape.Free()
	v, source, err := t.cfg.Objective.Parts[part].losses(r.losses[part], tape, r.model, in, b, t.cfg.group(), units)
	if err != nil {
		return nil, nil, err
	}
	x, err := tape.Values(v)
	if err != nil {
		return nil, nil, err
	}
	if record {
		tape.From(v, float32(scale))
		tape.Backward()
	}
	return x, source, nil
}

// evaluate returns the objective of sequences that are not trained on, in batches as an update has, by source.
func (t *Trainer) evaluate(seqs []data.Sequence) (Losses, error) {
	sources := 0
	for _, s := range seqs {
		sources = max(sources, s.Source+1)
	}
	a := account{bySource: make([]float64, sources), count: make([]int, sources)}
	size := t.cfg.BatchSize * t.cfg.group()
	for from := 0; from < len(seqs); from += size {
		which := make([]int, min(size, len(seqs)-from))
		for i := range which {
			which[i] = from + i
		}
		for _, b := range t.micro(seqs, which) {
			for i := range t.cfg.Objective.Parts {
				p := &t.cfg.Objective.Parts[i]
				pb := p.of(b)
				if len(pb.IDs) == 0 {
					continue
				}
				if units := p.Units(pb); units > 0 {
					x, source, err := t.pass(t.replicas[0], i, input(pb), pb, units, 1, false)
					if err != nil {
						return nil, err
					}
					for j, l := range x {
						a.add(1, float64(l), source[j])
					}
				}
			}
		}
	}
	return a.losses(), nil
}

// supervised is Units of losses by token, groups of those by example.
func supervised(b data.Batch) int { return b.Supervised }

func groups(size int) func(data.Batch) int {
	return func(b data.Batch) int { return len(b.Segments) / size }
}

// rowsOf returns the supervised positions of a batch and their targets.
func rowsOf(b data.Batch) (rows, targets []int32) {
	for i, id := range b.Targets {
		if id != backend.IgnoreIndex {
			rows, targets = append(rows, int32(i)), append(targets, id)
		}
	}
	return rows, targets
}

// tokenNLL returns the negative log-likelihood of each supervised token, (N, 1).
func tokenNLL(t *grad.Tape, m *model.Model, in model.Input, b data.Batch) *grad.Var {
	rows, targets := rowsOf(b)
	h := m.Forward(t, in)
	g := t.Gather(h, t.Ints(rows), len(rows))
	t.Release(h)
	return t.NLL(g, t.Param(m.Head()), t.Ints(targets))
}

// NextToken is the usual loss as a part of an objective: the negative log-likelihood of each supervised token.
func NextToken() Part {
	loss := func(t *grad.Tape, m *model.Model, in model.Input, b data.Batch) (*grad.Var, error) {
		return tokenNLL(t, m, in, b), nil
	}
	return Part{Name: "next token", Units: supervised, Loss: loss, On: alike(loss)}
}

// Distillation makes a model like a teacher on each supervised token: share·KL(teacher ‖ model)·T² + (1-share)·nll, at
// temperature T. Both models have one vocabulary. It holds all logits of a pass, N·V numbers several times.
// Source: Hinton et al. 2015, arXiv:1503.02531.
func Distillation(teacher *model.Model, temperature, share float64) (Part, error) {
	if !(temperature > 0) || !(share >= 0 && share <= 1) {
		return Part{}, fmt.Errorf("train.Distillation: temperature is %g and share %g; wanted more than 0, and between 0 and 1", temperature, share)
	}
	loss := func(teacher *model.Model) LossFunc {
		return func(t *grad.Tape, m *model.Model, in model.Input, b data.Batch) (*grad.Var, error) {
			if a, b := teacher.Config.VocabSize, m.Config.VocabSize; a != b {
				return nil, fmt.Errorf("train.Distillation: the teacher has %d ids, the model %d; wanted one vocabulary", a, b)
			}
			rows, targets := rowsOf(b)
			still := grad.New(teacher.Device(), false)
			defer still.Free()
			theirs, err := still.Values(teacher.Logits(still, input(b), rows))
			if err != nil {
				return nil, err
			}
			logits := m.Logits(t, in, rows)
			y := t.Scale(t.Distill(logits, theirs, temperature), float32(share))
			if share < 1 {
				y = t.Add(y, t.Scale(t.Pick(t.LogSoftmax(logits), targets), float32(share-1)))
			}
			return y, nil
		}
	}
	return Part{Name: "distillation", Units: supervised, Loss: loss(teacher), On: asking(teacher, loss)}, nil
}

// Preference is direct preference optimisation: groups of two sequences, a prompt with the better answer and with the worse.
// The loss of a pair is -log σ(beta·((log π(better) - log π(worse)) - (log ρ(better) - log ρ(worse)))), π the model, ρ the reference
// that it started from, each logarithm summed over the supervised tokens.
// Source: Rafailov et al. 2023, arXiv:2305.18290, eq. 7.
func Preference(reference *model.Model, beta float64) (Part, error) {
	if !(beta > 0) || bad(beta) {
		return Part{}, fmt.Errorf("train.Preference: beta is %g; wanted more than 0, such as 0.1", beta)
	}
	loss := func(reference *model.Model) LossFunc {
		return func(t *grad.Tape, m *model.Model, in model.Input, b data.Batch) (*grad.Var, error) {
			// One row a pair: +1 for each token of the worse answer's nll, -1 for the better one's.
			pairs, at, rows := len(b.Segments)/2, 0, b.Supervised
			sign := make([]float32, pairs*rows)
			for i, s := range b.Segments {
				n := 0
				for _, id := range b.Targets[s.QStart : s.QStart+s.QLen] {
					if id == backend.IgnoreIndex {
						continue
					}
					sign[i/2*rows+at] = float32(2*(i%2) - 1)
					at++
					n++
				}
				if n == 0 {
					return nil, fmt.Errorf("train.Preference: document %d of a batch has no supervised token; wanted an answer in both of a pair", i+1)
				}
			}
			still := grad.New(reference.Device(), false)
			defer still.Free()
			theirs, err := still.Values(still.Mix(sign, tokenNLL(still, reference, input(b), b)))
			if err != nil {
				return nil, err
			}
			for i := range theirs {
				theirs[i] = -theirs[i]
			}
			margin := t.Add(t.Mix(sign, tokenNLL(t, m, in, b)), t.Constant(pairs, 1, theirs))
			return t.Scale(t.LogSigmoid(t.Scale(margin, float32(beta))), -1), nil
		}
	}
	return Part{Name: "preference", Units: groups(2), Loss: loss(reference), On: asking(reference, loss)}, nil
}

// Contrast is the ranking of each text's own partner before those of all other texts in the update, and before further
// texts that are known to be wrong: groups of 2, a text and its partner, or more, the rest wrong ones. The loss of a group is
// the negative log-likelihood of the partner in the softmax of the cosine similarities over temperature. It is known as
// InfoNCE, and as multiple negatives ranking. Texts become vectors by model.Embed.
// Sources: van den Oord et al. 2018, arXiv:1807.03748, eq. 4; Henderson et al. 2017, arXiv:1705.00652, section 4.4.
func Contrast(group int, temperature float64) (Part, error) {
	if group < 2 || !(temperature > 0) {
		return Part{}, fmt.Errorf("train.Contrast: groups of %d and temperature %g; wanted at least 2, and more than 0, such as 0.05", group, temperature)
	}
	return Part{Name: "contrast", Whole: true, Units: groups(group), Loss: func(t *grad.Tape, m *model.Model, in model.Input, b data.Batch) (*grad.Var, error) {
		e := m.Embed(t, in)
		var texts, others, own []int32
		for i := range b.Segments {
			if i%group == 0 {
				texts, own = append(texts, int32(i)), append(own, int32(len(others)))
			} else {
				others = append(others, int32(i))
			}
		}
		q, k := t.Gather(e, t.Ints(texts), len(texts)), t.Gather(e, t.Ints(others), len(others))
		similar := t.Scale(t.Linear(q, k, nil), float32(1/temperature))
		return t.Scale(t.Pick(t.LogSoftmax(similar), own), -1), nil
	}}, nil
}
