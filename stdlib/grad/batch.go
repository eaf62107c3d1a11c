package grad

import (
	"tunebook/engine/backend"
	edata "tunebook/engine/data"
	core "tunebook/engine/grad"
	emodel "tunebook/engine/model"
	"tunebook/stdlib/model"
)

// Batch is some of an update's examples on their way through the model. A loss asks it for what it needs.
type Batch struct {
	t  *core.Tape
	m  *emodel.Model
	in emodel.Input
	b  edata.Batch

	still  bool // values are constants: another model's
	hidden *core.Var
	outer  *core.Tape
	others []*Batch
}

// Wrap makes a script's batch of an engine's. The function gives back what other models' passes hold.
func Wrap(t *core.Tape, m *emodel.Model, in emodel.Input, b edata.Batch) (*Batch, func()) {
	w := &Batch{t: t, m: m, in: in, b: b}
	return w, func() {
		for _, o := range w.others {
			o.t.Free()
		}
	}
}

// Examples returns the number of examples, Tokens that of the trained tokens.
func (b *Batch) Examples() int { return len(b.b.Segments) }
func (b *Batch) Tokens() int   { return b.b.Supervised }

// Targets returns the trained tokens' ids, in the order of the rows of NLL and Logits.
func (b *Batch) Targets() []int32 {
	var out []int32
	for _, id := range b.b.Targets {
		if id != backend.IgnoreIndex {
			out = append(out, id)
		}
	}
	return out
}

// ExampleOf returns for each trained token the example that it belongs to, from 0.
func (b *Batch) ExampleOf() []int {
	var out []int
	for i, s := range b.b.Segments {
		for _, id := range b.b.Targets[s.QStart : s.QStart+s.QLen] {
			if id != backend.IgnoreIndex {
				out = append(out, i)
			}
		}
	}
	return out
}

// SourceOf returns for each example the index of its source.
func (b *Batch) SourceOf() []int {
	var out []int
	for _, s := range b.b.Segments {
		out = append(out, b.b.SourceOf[s.QStart])
	}
	return out
}

// Of returns the batch as another model sees it: a teacher, a reference. What it returns are constants.
func (b *Batch) Of(m *model.Model) *Batch {
	in := b.in
	in.Noise, in.Recompute = nil, false
	e := m.Engine()
	o := &Batch{t: core.New(e.Device(), false), m: e, in: in, b: b.b, still: true, outer: b.t}
	b.others = append(b.others, o)
	return o
}

// Constant returns numbers that nothing trains as a matrix.
func (b *Batch) Constant(rows, cols int, x []float32) *Var {
	return &Var{b.t, b.t.Constant(rows, cols, x)}
}

// states returns the hidden states of all tokens; the model is run once.
func (b *Batch) states() *core.Var {
	if b.hidden == nil {
		b.hidden = b.m.Forward(b.t, b.in)
	}
	return b.hidden
}

// result is v, or a copy of its numbers on the loss's own tape.
func (b *Batch) result(v *core.Var) *Var {
	x := &Var{b.t, v}
	if !b.still {
		return x
	}
	return &Var{b.outer, b.outer.Constant(v.Rows, v.Cols, x.Values())}
}

func (b *Batch) trained() *core.Var {
	var rows []int32
	for i, id := range b.b.Targets {
		if id != backend.IgnoreIndex {
			rows = append(rows, int32(i))
		}
	}
	return b.t.Gather(b.states(), b.t.Ints(rows), len(rows))
}

// NLL returns the negative log-likelihood of every trained token, (tokens, 1), in nats.
func (b *Batch) NLL() *Var {
	return b.result(b.t.NLL(b.trained(), b.t.Param(b.m.Head()), b.t.Ints(b.Targets())))
}

// Logits returns the logits of every trained token, (tokens, vocabulary).
func (b *Batch) Logits() *Var {
	return b.result(b.t.Linear(b.trained(), b.t.Param(b.m.Head()), nil))
}

// Hidden returns the hidden state of every trained token, (tokens, hidden size).
func (b *Batch) Hidden() *Var { return b.result(b.trained()) }

// Embeddings returns one vector of every example, (examples, hidden size): the mean of its tokens' hidden states.
func (b *Batch) Embeddings() *Var {
	h := b.states()
	w := make([]float32, len(b.b.Segments)*h.Rows)
	for i, s := range b.b.Segments {
		for j := range s.QLen {
			w[i*h.Rows+s.QStart+j] = 1 / float32(s.QLen)
		}
	}
	return b.result(b.t.Mix(w, h))
}
