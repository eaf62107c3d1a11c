package train

import (
	"context"
	"fmt"
	"time"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/grad"
	"tunebook/engine/model"
	"tunebook/engine/tensor"
)

// Trainer fits one model to one list of sequences.
type Trainer struct {
	Sources []string // names by the sequences' source index
	Log     []Report // every update so far, those before a resume included

	cfg      Config
	model    *model.Model
	dev      backend.Backend
	seqs     []data.Sequence
	params   []*grad.Param // the trained ones
	moments  []moments
	norms    backend.Buffer
	step     int // updates done
	total    int
	perEpoch int
	identity string
	sampler  *data.Sampler // of a mix; nil for sequences that come from none

	every time.Duration // between checkpoints, in place of a number of updates; 0 for that
	saved time.Time     // when the last checkpoint was written
}

// New prepares a run. The model is trained in place: its own weights, or, with cfg.LoRA.Rank > 0, new adapters that are
// put on it while its weights stay as they are. sources names the indices that sequences carry.
//
// No supervised token at all is a *data.NoSupervision before anything else happens. Where cfg.Dir holds a checkpoint of
// the same run, the trainer goes on from the newest one that is whole; a checkpoint of another run is an error.
func New(m *model.Model, seqs []data.Sequence, sources []string, cfg Config) (*Trainer, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.fill()
	supervised := 0
	for i, s := range seqs {
		if len(s.IDs) == 0 || len(s.IDs) != len(s.Targets) {
			return nil, fmt.Errorf("train.New: sequence %d: %d ids and %d targets; wanted as many of both, at least 1", i, len(s.IDs), len(s.Targets))
		}
		if len(s.IDs) > m.Config.MaxPositionEmbeddings {
			return nil, fmt.Errorf("train.New: sequence %d (%s row %d): %d tokens; the model has %d positions",
				i, sources[s.Source], s.Row, len(s.IDs), m.Config.MaxPositionEmbeddings)
		}
		for _, id := range s.Targets {
			if id != backend.IgnoreIndex {
				supervised++
			}
		}
	}
	if supervised == 0 {
		return nil, &data.NoSupervision{Of: len(seqs)}
	}
	for i, s := range cfg.Validation {
		if len(s.IDs) == 0 || len(s.IDs) != len(s.Targets) || len(s.IDs) > m.Config.MaxPositionEmbeddings {
			return nil, fmt.Errorf("train.New: validation sequence %d (row %d): %d ids and %d targets; wanted as many of both, 1 to %d, the model's positions",
				i, s.Row, len(s.IDs), len(s.Targets), m.Config.MaxPositionEmbeddings)
		}
	}
	if len(cfg.Weights) > 0 && len(cfg.Weights) != len(sources) {
		return nil, fmt.Errorf("train.New: Weights has %d numbers; there are %d sources", len(cfg.Weights), len(sources))
	}
	if cfg.LoRA.Rank > 0 {
		if err := m.AddAdapter(cfg.LoRA, cfg.Seed); err != nil {
			return nil, err
		}
	} else if m.Adapter != nil {
		return nil, fmt.Errorf("train.New: the model has an adapter of rank %d; merge it before training all weights", m.Adapter.Rank)
	}
	t := &Trainer{Sources: sources, cfg: cfg, model: m, dev: m.Device(), seqs: seqs}
	t.params = m.Params()
	if cfg.LoRA.Rank > 0 {
		t.params = m.Adapter.Params()
	}
	for _, p := range t.params {
		p.Grad = zeros(t.dev, p.Len())
		t.moments = append(t.moments, moments{zeros(t.dev, p.Len()), zeros(t.dev, p.Len())})
	}
	t.sampler = samplerOf(seqs, cfg.Seed)
	t.norms = zeros(t.dev, len(t.params))
	t.perEpoch = (len(seqs) + cfg.BatchSize - 1) / cfg.BatchSize
	t.total = cfg.Steps
	if t.total == 0 {
		t.total = cfg.Epochs * t.perEpoch
	}
	if cfg.Dir != "" {
		if err := t.resume(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// KeepIn makes dir the place of checkpoints, one at least every so often and none at the end, and goes on from the one that is
// there.
func (t *Trainer) KeepIn(dir string, every time.Duration) error {
	t.cfg.Dir, t.cfg.Every, t.every = dir, 0, every
	return t.resume()
}

// due tells whether a checkpoint is to be written after the update that was just made.
func (t *Trainer) due() bool {
	switch {
	case t.cfg.Dir == "":
		return false
	case t.every > 0:
		return t.step < t.total && time.Since(t.saved) >= t.every
	}
	return t.step%t.cfg.Every == 0 || t.step == t.total
}

// Total returns the number of updates of the whole run, Done how many of them are made.
func (t *Trainer) Total() int { return t.total }
func (t *Trainer) Done() int  { return t.step }

// Trainable returns the number of trained parameters.
func (t *Trainer) Trainable() int {
	n := 0
	for _, p := range t.params {
		n += p.Len()
	}
	return n
}

// samplerOf returns the sampler of a mix's sequences, nil where they carry no places.
func samplerOf(seqs []data.Sequence, seed int64) *data.Sampler {
	places := make([]data.Place, len(seqs))
	for i, s := range seqs {
		if s.Block == 0 {
			return nil
		}
		places[i] = data.Place{Key: s.Key, Block: s.Block}
	}
	return data.NewSampler(seed, places)
}

// order returns the order of an epoch: the sampler's for a mix, so that its blocks hold, and Order otherwise.
func (t *Trainer) order(epoch int) []int {
	if t.sampler != nil {
		return t.sampler.Epoch(epoch)
	}
	return Order(len(t.seqs), t.cfg.Seed, epoch)
}

// Order returns the order in which an epoch visits n sequences that come from no mix: a pure function of seed and epoch.
func Order(n int, seed int64, epoch int) []int {
	return tensor.NewRNG(seed, fmt.Sprintf("order/%d", epoch)).Perm(n)
}

// Run makes the remaining updates, calling each (when not nil) after every one. It returns nil when all are made,
// ErrInterrupted when ctx ended first, *NonFinite when an update could not be made. Gradients and moments are given
// back in every case; the model keeps the weights of the last update.
func (t *Trainer) Run(ctx context.Context, each func(Report)) error {
	defer t.free()
	t.saved = time.Now()
	epoch, order := -1, []int(nil)
	for t.step < t.total {
		if ctx.Err() != nil {
			if err := t.checkpoint(); err != nil {
				return fmt.Errorf("%w at step %d of %d; %w", ErrInterrupted, t.step, t.total, err)
			}
			return fmt.Errorf("%w at step %d of %d", ErrInterrupted, t.step, t.total)
		}
		if e := t.step / t.perEpoch; e != epoch {
			epoch, order = e, t.order(e)
		}
		from := t.step % t.perEpoch * t.cfg.BatchSize
		which := order[from:min(from+t.cfg.BatchSize, len(order))]
		r, err := t.Step(microBatches(t.seqs, which, t.cfg.MicroTokens))
		if err != nil {
			if nf, ok := err.(*NonFinite); ok {
				nf.Sources = t.rows(which)
			}
			return err
		}
		if len(t.cfg.Validation) > 0 && (t.step%t.cfg.ValidateEvery == 0 || t.step == t.total) {
			if r.Validation, err = LossBySource(t.model, t.cfg.Validation, t.cfg.MicroTokens); err != nil {
				return err
			}
		}
		t.Log = append(t.Log, r)
		if each != nil {
			each(r)
		}
		if t.due() {
			if err := t.checkpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

// rows names the examples of a batch, a few of them.
func (t *Trainer) rows(which []int) []string {
	var out []string
	for _, i := range which[:min(4, len(which))] {
		s := t.seqs[i]
		out = append(out, fmt.Sprintf("%s row %d", t.Sources[s.Source], s.Row))
	}
	return out
}

func (t *Trainer) free() {
	for i, p := range t.params {
		if p.Grad == nil {
			continue
		}
		t.dev.Free(p.Grad)
		p.Grad = nil
		t.dev.Free(t.moments[i].m)
		t.dev.Free(t.moments[i].v)
	}
}
