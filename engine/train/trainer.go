package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
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
	devices  []backend.Backend
	replicas []*replica         // one on each device, the first of this model
	link     backend.Collective // nil with one device
	way      string
	rates    []rates
	opt      optimizer
	masters  []backend.Buffer // the parameters in float32, where they themselves are rounded; nil otherwise
	average  *average         // nil without
	norms    backend.Buffer
	step     int // updates done
	total    int
	perEpoch int
	identity string
	sampler  *data.Sampler // of a mix; nil for sequences that come from none

	best    [][]float32 // the parameters of the best score so far; nil before the first
	stopped string      // why the run ended before its last update; empty where it did not

	memory map[backend.Backend]Memory
	keeps  bool  // what norms and SwiGLU make, instead of making it again
	onHost int64 // bytes of all replicas that lie in the machine's memory

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
	if m.Encoder() && cfg.Objective == nil {
		return nil, fmt.Errorf("train.New: %s is a %s, an encoder, which predicts no next token; wanted a decoder", m.Name, m.Config.ModelType)
	}
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
	if g := cfg.group(); len(seqs)%g != 0 || len(cfg.Validation)%g != 0 {
		return nil, fmt.Errorf("train.New: %d sequences and %d for validation; %s wants groups of %d", len(seqs), len(cfg.Validation), cfg.Objective.Name, g)
	}
	if supervised == 0 && cfg.Objective == nil || len(seqs) == 0 {
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
	if q, ok := m.Quant(); ok && cfg.LoRA.Rank == 0 {
		return nil, fmt.Errorf("train.New: the model's weights are held in %s and cannot be trained; wanted LoRA.Rank of at least 1", q)
	}
	devices, err := cfg.devices(m)
	if err != nil {
		return nil, err
	}
	if cfg.LoRA.Rank > 0 {
		if err := m.AddAdapter(cfg.LoRA, cfg.Seed); err != nil {
			return nil, err
		}
	} else if m.Adapter != nil {
		return nil, fmt.Errorf("train.New: the model has an adapter of rank %d; merge it before training all weights", m.Adapter.Rank)
	}
	t := &Trainer{Sources: sources, cfg: cfg, model: m, dev: m.Device(), devices: devices, seqs: seqs, memory: map[backend.Backend]Memory{}}
	t.params = m.Params()
	if cfg.LoRA.Rank > 0 {
		t.params = m.Adapter.Params()
	}
	if t.params, err = thaw(t.params, cfg.Freeze); err != nil {
		return nil, err
	}
	if t.rates, err = ratesOf(cfg, t.params); err != nil {
		return nil, err
	}
	if cfg.group() == 1 {
		t.sampler = samplerOf(seqs, cfg.Seed)
	}
	ready := false
	defer func() {
		if !ready {
			t.Close()
		}
	}()
	own := &replica{model: m, dev: t.dev, params: t.params}
	if cfg.Objective != nil {
		for _, p := range cfg.Objective.Parts {
			own.losses = append(own.losses, p.Loss)
		}
	}
	t.replicas = []*replica{own}
	if len(devices) > 1 {
		t.link = backend.NewCollective(devices) // first: it takes memory too
		t.way = t.link.Info()
	}
	if err := t.fits(own, cfg.MemoryLimit); err != nil {
		return nil, err
	}
	if err := t.replicate(); err != nil {
		return nil, err
	}
	t.opt = newOptimizer(cfg, t.dev, t.params, t.rates, false)
	for _, r := range t.replicas {
		for _, p := range r.params {
			p.Trained = true
		}
	}
	if cfg.Precision == "bf16" {
		for _, p := range t.params {
			master := t.dev.AllocUninit(tensor.F32, p.Len())
			t.dev.Copy(master, p.Value)
			t.masters = append(t.masters, master)
		}
		if err := t.rounded(); err != nil {
			return nil, err
		}
	}
	if cfg.EMA > 0 {
		t.average = &average{decay: cfg.EMA}
	}
	t.norms = zeros(t.dev, len(t.params))
	t.perEpoch = (len(seqs)/cfg.group() + cfg.BatchSize - 1) / cfg.BatchSize
	t.total = cfg.Steps
	if t.total == 0 {
		t.total = cfg.Epochs * t.perEpoch
	}
	if cfg.Dir != "" {
		if err := t.resume(); err != nil {
			return nil, err
		}
	}
	ready = true
	return t, nil
}

// KeepIn makes dir the place of checkpoints, one at least every so often and none at the end, and goes on from the one that is
// there.
func (t *Trainer) KeepIn(dir string, every time.Duration) error {
	t.cfg.Dir, t.cfg.Every, t.every = dir, 0, every
	return t.resume()
}

// due tells whether a checkpoint is to be written after the update that was just made.
func (t *Trainer) due(last bool) bool {
	switch {
	case t.cfg.Dir == "":
		return false
	case t.every > 0:
		return !last && time.Since(t.saved) >= t.every
	}
	return t.step%t.cfg.Every == 0 || last
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
	g := t.cfg.group()
	if g == 1 {
		return Order(len(t.seqs), t.cfg.Seed, epoch)
	}
	var out []int
	for _, i := range Order(len(t.seqs)/g, t.cfg.Seed, epoch) {
		for j := range g {
			out = append(out, i*g+j)
		}
	}
	return out
}

// micro packs the named sequences into passes. Groups stay together, and an objective that compares all of an update has
// one pass.
func (t *Trainer) micro(seqs []data.Sequence, which []int) []data.Batch {
	if t.cfg.whole() {
		return microBatches(seqs, which, math.MaxInt, len(which))
	}
	return microBatches(seqs, which, t.cfg.MicroTokens, t.cfg.group())
}

// Order returns the order in which an epoch visits n sequences that come from no mix: a pure function of seed and epoch.
func Order(n int, seed int64, epoch int) []int {
	return tensor.NewRNG(seed, fmt.Sprintf("order/%d", epoch)).Perm(n)
}

// Run makes the remaining updates, calling each (when not nil) after every one. It returns nil when all are made or a
// score has not got better for long enough, ErrInterrupted when ctx ended first, *NonFinite when an update could not be
// made. Gradients and the optimizer's state are given back in every case. The model keeps the weights of the last update;
// after nil, those of the average or of the best score where the configuration has them.
func (t *Trainer) Run(ctx context.Context, each func(Report)) error {
	defer t.Close()
	t.saved = time.Now()
	epoch, order := -1, []int(nil)
	for t.step < t.total && !t.patienceEnded() {
		if ctx.Err() != nil {
			err := fmt.Errorf("%w at step %d of %d", ErrInterrupted, t.step, t.total)
			if _, failed := t.checkpoint(); failed != nil {
				err = fmt.Errorf("%w; %w", err, failed)
			}
			return err
		}
		if e := t.step / t.perEpoch; e != epoch {
			epoch, order = e, t.order(e)
		}
		size := t.cfg.BatchSize * t.cfg.group()
		from := t.step % t.perEpoch * size
		which := order[from:min(from+size, len(order))]
		r, err := t.Step(t.shares(which)...)
		var bad *NonFinite
		if errors.As(err, &bad) {
			return t.explain(bad, which)
		}
		if err != nil {
			return err
		}
		if t.measuring() {
			if err := t.measured(func() error { return t.measure(&r) }); err != nil {
				return err
			}
		}
		t.Log = append(t.Log, r)
		last := t.step == t.total || t.patienceEnded()
		if last {
			if err := t.finite(r); err != nil {
				return err
			}
		}
		var failed error
		if t.due(last) {
			if _, failed = t.checkpoint(); failed != nil && last {
				return failed
			}
			if failed != nil { // the run goes on: what was written before is whole, and the next may succeed
				r.Note = failed.Error()
			}
		}
		if each != nil {
			each(r)
		}
	}
	switch {
	case t.best != nil:
		return upload(t.dev, t.params, t.best)
	case t.average != nil && t.average.x != nil:
		return upload(t.dev, t.params, t.average.x)
	}
	return nil
}

// measuring tells whether the update that was just made is followed by a measurement.
func (t *Trainer) measuring() bool {
	if len(t.cfg.Validation) == 0 && t.cfg.Score == nil {
		return false
	}
	return t.step%t.cfg.ValidateEvery == 0 || t.step == t.total
}

// measure puts the validation losses and the score into r, and keeps the parameters when the score is the best so far.
func (t *Trainer) measure(r *Report) error {
	var err error
	if len(t.cfg.Validation) > 0 {
		if t.cfg.Objective != nil {
			r.Validation, err = t.evaluate(t.cfg.Validation)
		} else {
			r.Validation, err = LossBySource(t.model, t.cfg.Validation, t.cfg.MicroTokens)
		}
		if err != nil {
			return err
		}
	}
	if !t.cfg.scored() {
		return nil
	}
	if t.cfg.Score != nil {
		r.Score, err = t.cfg.Score(t.model)
	} else {
		for _, x := range r.Validation {
			r.Score -= x / float64(len(r.Validation))
		}
	}
	if err == nil && bad(r.Score) {
		err = fmt.Errorf("train.Run: step %d: the score is %g; wanted a finite number", r.Step, r.Score)
	}
	if err != nil {
		return err
	}
	r.Scored = true
	if !t.cfg.keepsBest() {
		return nil
	}
	if at, _ := best(t.Log, t.cfg.MinDelta); at == 0 || r.Score > t.Log[at-1].Score+t.cfg.MinDelta {
		if t.best, err = download(t.dev, t.params); err != nil {
			return err
		}
		return t.keepBest(r.Step)
	}
	return nil
}

// best returns the step of the best score of a log, 0 when there is none, and how many scores came after it.
func best(log []Report, delta float64) (step, since int) {
	for i, r := range log {
		switch {
		case !r.Scored:
		case step == 0 || r.Score > log[step-1].Score+delta:
			step, since = i+1, 0
		default:
			since++
		}
	}
	return step, since
}

// patienceEnded tells whether the score has not got better for as many measurements as the configuration waits.
func (t *Trainer) patienceEnded() bool {
	if t.cfg.Patience == 0 {
		return false
	}
	at, since := best(t.Log, t.cfg.MinDelta)
	if since < t.cfg.Patience {
		return false
	}
	t.stopped = fmt.Sprintf("the score of step %d, %.6g, was not passed in %d measurements", at, t.Log[at-1].Score, since)
	return true
}

// Stopped says why a run ended before its last update; empty where it did not.
func (t *Trainer) Stopped() string { return t.stopped }

// Kept returns the step whose weights the model has after Run, 0 where that is the last one.
func (t *Trainer) Kept() int {
	if !t.cfg.keepsBest() {
		return 0
	}
	at, _ := best(t.Log, t.cfg.MinDelta)
	return at
}

// finite is an error when a parameter is not finite after the last update, which no further loss would show.
func (t *Trainer) finite(r Report) error {
	name, err := t.notFinite(func(p *grad.Param) backend.Buffer { return p.Value })
	if err == nil && name != "" {
		err = &NonFinite{Step: r.Step + 1, Loss: r.Loss, GradNorm: r.GradNorm, LR: r.LR, Weight: name}
	}
	return err
}

// notFinite returns the name of the first parameter of which a buffer has an element that is not a finite number.
func (t *Trainer) notFinite(of func(p *grad.Param) backend.Buffer) (string, error) {
	for _, p := range t.params {
		x, err := view(t.dev, of(p))
		if err != nil {
			return "", err
		}
		for _, v := range x {
			if v-v != 0 {
				return p.Name, nil
			}
		}
	}
	return "", nil
}

// explain adds to an update's failure what there is to look at, and keeps the weights of the update before.
func (t *Trainer) explain(e *NonFinite, which []int) error {
	e.Of = len(which) / t.cfg.group()
	for g := t.cfg.group(); len(which) > 0; which = which[g:] {
		alone := make([]data.Sequence, g)
		for i := range alone {
			alone[i] = t.seqs[which[i]]
		}
		var l Losses
		var err error
		if t.cfg.Objective != nil {
			l, err = t.evaluate(alone)
		} else {
			l, err = LossBySource(t.model, alone, t.cfg.MicroTokens)
		}
		if err != nil {
			return errors.Join(e, err)
		}
		if s := alone[0]; s.Supervised() > 0 || t.cfg.Objective != nil {
			e.Rows = append(e.Rows, RowLoss{t.Sources[s.Source], s.Row, l[s.Source]})
		}
	}
	size := func(x float64) float64 {
		if bad(x) {
			return math.Inf(1)
		}
		return x
	}
	slices.SortStableFunc(e.Rows, func(a, b RowLoss) int { return cmp.Compare(size(b.Loss), size(a.Loss)) })
	e.Rows = e.Rows[:min(4, len(e.Rows))]
	var err error
	if e.Param, err = t.notFinite(func(p *grad.Param) backend.Buffer { return p.Grad }); err != nil {
		return errors.Join(e, err)
	}
	if e.Weight, err = t.notFinite(func(p *grad.Param) backend.Buffer { return p.Value }); err != nil {
		return errors.Join(e, err)
	}
	if e.Weight != "" {
		if paths, err := Checkpoints(t.cfg.Dir); t.cfg.Dir != "" && err == nil && len(paths) > 0 {
			e.Checkpoint = paths[0]
		}
		return e
	}
	if e.Checkpoint, err = t.checkpoint(); err != nil {
		return errors.Join(e, err)
	}
	return e
}

// Close gives back what the run holds besides the model: gradients, the optimizer's state, and the copies on further devices. Run and
// Load do so themselves. The model is not trained afterwards.
func (t *Trainer) Close() {
	t.forget()
	if t.opt != nil {
		t.opt.free()
	}
	for _, p := range t.params {
		p.Trained = false
	}
	for _, m := range t.masters {
		t.dev.Free(m)
	}
	if t.norms != nil {
		t.dev.Free(t.norms)
	}
	if len(t.replicas) > 1 {
		for _, r := range t.replicas[1:] {
			r.close()
		}
		t.replicas = t.replicas[:1]
	}
	if t.link != nil {
		t.link.Close() // what failed there has been said by an update, or changes nothing any more
	}
	t.opt, t.masters, t.norms, t.link = nil, nil, nil, nil
}
