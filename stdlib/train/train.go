// Package train is how a script fine-tunes a model on a set or a mix.
//
//	run := train.Run(base, mix, train.Config{LR: 1e-3, Epochs: 3, Seed: 1})
//	run.Model.Ask("…", 32)
package train

import (
	"errors"
	"fmt"
	"strings"

	"tunebook/engine/backend"
	edata "tunebook/engine/data"
	emodel "tunebook/engine/model"
	core "tunebook/engine/train"
	"tunebook/stdlib/data"
	"tunebook/stdlib/host"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// Config says how to train. A field left at zero means what its comment says.
type Config struct {
	LR           float64  // peak learning rate; must be given: about 1e-3 for a small model in full, 2e-4 to 2e-3 for LoRA
	Epochs       int      // passes over the data; 3 when Steps is 0 too
	Steps        int      // updates; instead of Epochs
	BatchSize    int      // examples per update; 16
	Schedule     string   // "cosine" (default), "linear", "constant", "inverse-sqrt", "wsd" (constant, then a fall in a line)
	Warmup       int      // updates of linear warm-up; 0 means 3 % of all, -1 none
	Decay        int      // updates over which "wsd" falls at the end; 0 means 10 % of all
	MinLR        float64  // where the schedule ends; 0
	Optimizer    string   // "adamw" (default), "adamw-bf16" and "adamw8bit" (moments of two bytes or one each), "lion", "sgd", "adafactor"
	Beta1, Beta2 float64  // of adamw 0.9, 0.999; of lion 0.9, 0.99
	Eps          float64  // of adamw; 1e-8
	Momentum     float64  // of sgd; 0
	Nesterov     bool     // of sgd
	WeightDecay  float64  // on matrices; 0
	Groups       []Group  // learning rates and decays of parameters by name
	Clip         float64  // largest gradient norm; 1, -1 for none
	EMA          float64  // decay of an average of the weights that takes their place in validation and at the end; 0 for none
	Precision    string   // "f32" (default), or "bf16": weights rounded to bfloat16 after every update; products round on the devices -bf16
	NEFTune      float64  // size of noise on the embeddings; 0 for none, 5 is usual
	Loss         *Loss    // nil for the next token's
	Freeze       []string // patterns of parameters that are not trained: "model.embed*", "model.layers.0.*"

	LoRA    int      // rank of the adapters; 0 trains all weights
	Alpha   float64  // of the adapters; 0 means 2·LoRA
	Targets []string // linear layers with adapters; empty means all seven of a layer
	RSLoRA  bool     // adapters are scaled by Alpha/sqrt(LoRA) instead of Alpha/LoRA
	DoRA    bool     // adapters with trained row lengths

	Train  string // "response" (default): answers and their stop tokens; "last": the last answer; "all": every token
	MaxLen int    // tokens of an example at most; 0 means the model's positions
	Policy string // what happens to longer ones: "error" (default), "drop", "cut-prompt", "cut-input"
	Cache  string // folder that keeps encoded sets from one run to the next; empty for none

	Validation    []*data.Set // held-out sets, one a source, whose loss is measured on the way; it changes no result
	ValidateEvery int         // updates between measurements, the last always; 100

	Patience  int                          // end after so many measurements without a better score, in the weights of the best; 0 never
	MinDelta  float64                      // how much better counts; 0
	Best      bool                         // end in the weights of the best score
	Score     func(m *model.Model) float64 // larger is better; nil means the negative mean of the validation losses
	ScoreName string                       // stands for Score in the run's identity; must be given with it

	Seed             int64  // decides the order of examples and new adapter weights
	Dir              string // where checkpoints go, and where a stopped run is taken up again; empty for the store. A run that is reused writes none
	Every            int    // updates between checkpoints; 100
	Keep             int    // checkpoints kept, that of the best score not counted; 2
	MicroTokens      int    // tokens per forward pass at most, to bound memory; 4096. Results do not depend on it
	Recompute        bool   // less memory for about a third more time: activations are made again on the way back. The same bits
	OffloadOptimizer bool   // on a GPU the moments of AdamW stay in the machine's memory between updates: less of the GPU's, slower. The same bits
	MemoryLimit      int64  // bytes that the run may take on a device besides the model; 0 means what there is. More is refused before the first update
	Quiet            bool   // no progress line

	// Devices share the examples of every update: several of one kind, such as "cuda:0" and "cuda:1", the model's own among them; empty
	// for that one alone. Each gets a copy of the model. Losses, norms and weights are those of one device but for the rounding of
	// sums; the same devices give the same bits. Custom losses and Contrast are for one device; the teacher of Distill and the base of
	// Prefer are copied to each. Real cards are joined by NCCL where it is installed; that has run on no card yet.
	Devices []string

	OnStep      func(Report) // called after every update, and for the updates of a run that comes from the store
	Sample      []string     // prompts that the model answers on the way: shown, and kept with the run
	SampleEvery int          // updates between samples, the first before all and the last always; 0 means a tenth of the run
	SampleMax   int          // new tokens of a sample at most; 32

	NoStore bool // the run is not kept in the store (package runs), nor looked for there
	Again   bool // train even where the store has the same run
}

// Report is what one update did.
type Report = core.Report

// Group gives the parameters whose names match a pattern a learning rate (a factor) and a weight decay of their own.
type Group = core.Group

// Result is a finished run.
type Result struct {
	Model     *model.Model // the tuned model; the one it started from is as it was
	Mix       *data.Set    // what it was trained on, its manifest with tokens
	Log       []Report     // one for each update
	Trainable int          // trained parameters
	Tokens    int          // tokens seen, repeats included
	Seconds   float64      // time of the updates
	ID        string       // in the run store; empty where nothing is kept
	Reused    bool         // it was made before and comes from the store
	Sources   []string     // names, in the order of Report.BySource
	Held      []string     // names of the validation sets, in the order of Report.Validation
	Stopped   string       // why the run ended before its last update; empty where it did not
	Kept      int          // the update whose weights the model has; 0 for the last one
	Samples   []Sample     // what the model said on the way, of Config.Sample
}

// Sample is what the model said after an update.
type Sample struct {
	Step           int
	Prompt, Output string
}

// Losses returns the loss per supervised token of every update, in nats.
func (r *Result) Losses() []float64 {
	out := make([]float64, len(r.Log))
	for i, l := range r.Log {
		out[i] = l.Loss
	}
	return out
}

// Curve returns the run's loss for a chart: the mean of every window updates against the last of them; window 1 gives
// each update.
func (r *Result) Curve(window int) (step, loss []float64) {
	if window < 1 {
		stop.Now("train.Curve", fmt.Sprintf("the window is %d updates; wanted at least 1", window), "")
	}
	for from := 0; from < len(r.Log); from += window {
		part := r.Log[from:min(from+window, len(r.Log))]
		sum := 0.0
		for _, l := range part {
			sum += l.Loss
		}
		step = append(step, float64(part[len(part)-1].Step))
		loss = append(loss, sum/float64(len(part)))
	}
	return step, loss
}

// FinalLoss returns the mean loss of the last tenth of the updates.
func (r *Result) FinalLoss() float64 {
	n := max(1, len(r.Log)/10)
	sum := 0.0
	for _, l := range r.Log[len(r.Log)-n:] {
		sum += l.Loss
	}
	return sum / float64(n)
}

// Run fine-tunes base on a set or mix and returns the tuned model; base stays as it is. The same arguments give the same
// weights, bit for bit, on the same kind of machine; so a run that was made before is taken from the run store (package
// runs), with a note. Ctrl-C ends the cell after a checkpoint, in cfg.Dir or in the store; running the cell again then
// goes on from there.
func Run(base *model.Model, mix *data.Set, cfg Config) *Result {
	const op = "train.Run"
	how := data.Encoding{Train: cfg.Train, MaxLen: cfg.MaxLen, Policy: cfg.Policy}.Engine(op, base)
	encode := func(s *data.Set) *edata.Encoded {
		var e *edata.Encoded
		var err error
		if cfg.Cache != "" {
			e, _, err = how.Cached(cfg.Cache, s.Engine())
		} else {
			e, err = how.Set(s.Engine())
		}
		stop.If(op, err)
		return e
	}
	enc := encode(mix)
	v := validation{}
	for i, s := range cfg.Validation {
		for _, seq := range encode(s).Sequences {
			seq.Source = i
			v.seqs = append(v.seqs, seq)
		}
		v.names = append(v.names, s.Name())
	}
	var weights []float64
	if m := mix.Manifest(); m != nil {
		weights = m.Weights(enc.Sources)
	}
	if m := mix.Manifest(); m != nil {
		mix = mix.WithManifest(m.Tokens(enc))
	}
	in := input{seqs: enc.Sequences, sources: enc.Sources, weights: weights, held: v, name: mix.Name(), manifest: mix.Manifest(),
		objective: cfg.Loss.objective(op, enc.Sources)}
	r := fit(op, base, in, cfg)
	r.Mix = mix
	return r
}

// Text trains on plain documents, every token of them: pretraining. Documents longer than cfg.MaxLen (0 for the model's
// positions) become several.
func Text(base *model.Model, name string, texts []string, cfg Config) *Result {
	const op = "train.Text"
	b := base.Engine()
	maxLen := cfg.MaxLen
	if maxLen == 0 {
		maxLen = b.Config.MaxPositionEmbeddings
	}
	seqs, _ := edata.EncodeText(b.Tokenizer, texts, maxLen)
	r := fit(op, base, input{seqs: seqs, sources: []string{name}, name: name, objective: cfg.Loss.objective(op, []string{name})}, cfg)
	rows := make([]data.Example, len(texts))
	for i, s := range texts {
		rows[i].Answer = s
	}
	r.Mix = data.New(name, rows)
	return r
}

// validation is what the loss is measured on.
type validation struct {
	seqs  []edata.Sequence
	names []string // by their source index
}

// input is what a run is made on.
type input struct {
	seqs      []edata.Sequence
	sources   []string
	weights   []float64
	held      validation
	name      string
	manifest  *data.Manifest
	objective *core.Objective // nil for the next token's loss
}

// ignore marks a position that has no target.
const ignore = backend.IgnoreIndex

func fit(op string, base *model.Model, in input, cfg Config) *Result {
	seqs, sources, weights, v, name, manifest := in.seqs, in.sources, in.weights, in.held, in.name, in.manifest
	m := base.Engine().Clone
	if cfg.LoRA > 0 {
		m = base.Engine().Share // the base weights are not trained and need no copy
	}
	tuned := m()
	tuned.Name = fmt.Sprintf("%s tuned on %s", base.Name(), name)
	var score func(*emodel.Model) (float64, error)
	if cfg.Score != nil {
		score = func(m *emodel.Model) (float64, error) { return cfg.Score(model.Wrap(m)), nil }
	}
	r := &Result{Sources: sources, Held: v.names}
	defer func() {
		if r.Model == nil { // the run was not made
			tuned.Close()
		}
	}()
	var devs []backend.Backend
	for _, name := range cfg.Devices {
		dev, err := backend.Open(name)
		stop.If(op, err)
		devs = append(devs, dev)
	}
	t, err := core.New(tuned, seqs, sources, core.Config{
		LR: cfg.LR, Epochs: cfg.Epochs, Steps: cfg.Steps, BatchSize: cfg.BatchSize, MicroTokens: cfg.MicroTokens,
		Schedule: cfg.Schedule, Warmup: cfg.Warmup, Decay: cfg.Decay, MinLR: cfg.MinLR,
		Optimizer: cfg.Optimizer, Beta1: cfg.Beta1, Beta2: cfg.Beta2, Eps: cfg.Eps, Momentum: cfg.Momentum, Nesterov: cfg.Nesterov,
		WeightDecay: cfg.WeightDecay, Groups: cfg.Groups, Clip: cfg.Clip, EMA: cfg.EMA, Precision: cfg.Precision, Freeze: cfg.Freeze,
		NEFTune: cfg.NEFTune, Recompute: cfg.Recompute, OffloadOptimizer: cfg.OffloadOptimizer, MemoryLimit: cfg.MemoryLimit, Devices: devs,
		Objective: in.objective, Weights: weights, Validation: v.seqs, ValidateEvery: cfg.ValidateEvery,
		Patience: cfg.Patience, MinDelta: cfg.MinDelta, Best: cfg.Best, Score: score, ScoreName: cfg.ScoreName,
		Seed: cfg.Seed, Dir: cfg.Dir, Every: cfg.Every, Keep: cfg.Keep,
		LoRA: emodel.LoRA{Rank: cfg.LoRA, Alpha: cfg.Alpha, Targets: cfg.Targets, RSLoRA: cfg.RSLoRA, DoRA: cfg.DoRA},
	})
	stop.If(op, err)
	defer t.Close()
	r.Trainable = t.Trainable()
	if len(devs) == 0 {
		devs = append(devs, base.Engine().Device())
	}
	wrap := func() {
		r.Model = model.Wrap(tuned, append(base.Seeds()[:len(base.Seeds()):len(base.Seeds())], cfg.Seed)...)
	}
	if cfg.SampleEvery == 0 {
		cfg.SampleEvery = max(1, t.Total()/10)
	}
	if cfg.SampleMax == 0 {
		cfg.SampleMax = 32
	}
	k := newRecord(base, t, devs, name, manifest, cfg)
	if k != nil && !cfg.Again && k.hit(t, r, cfg) {
		wrap()
		for _, rep := range r.Log {
			if cfg.OnStep != nil {
				cfg.OnStep(rep)
			}
		}
		return r
	}
	defer func() { k.fail(t, errors.New("the cell ended by a panic")) }() // nothing, once the run has ended otherwise
	stop.If(op, k.begin(t, cfg.Dir != ""))
	r.ID = k.id()
	for _, rep := range t.Log { // of the part before a stop
		r.Tokens += rep.Tokens
		k.step(rep, r, nil)
	}
	var bar *host.Bar
	if !cfg.Quiet {
		bar = host.Progress("train "+name, int64(t.Total()), "step")
		bar.Set(int64(t.Done()), "")
	}
	if len(cfg.Sample) > 0 && t.Done() == 0 {
		sample(tuned, 0, r, k, cfg) // so that a prompt which cannot be asked is seen now
	}
	if t.Link() != "" && !cfg.Quiet {
		note(false, "link", "%s share the examples; gradients are added %s", names(devs), t.Link())
	}
	seen := newFigures(t, devs, sources)
	err = t.Run(host.Context(), func(rep Report) {
		if rep.Note != "" {
			note(false, rep.Note, "%s", rep.Note)
		}
		r.Tokens += rep.Tokens
		k.step(rep, r, seen.add(rep))
		if bar != nil {
			bar.Set(int64(rep.Step), seen.line(rep))
		}
		if len(cfg.Sample) > 0 && (rep.Step%cfg.SampleEvery == 0 || rep.Step == rep.Total) {
			sample(tuned, rep.Step, r, k, cfg)
		}
		if cfg.OnStep != nil {
			cfg.OnStep(rep)
		}
	})
	if bar != nil {
		bar.Done(fmt.Sprintf("loss %.3f", seen.loss))
	}
	if err != nil {
		k.fail(t, err)
	}
	if errors.Is(err, core.ErrInterrupted) {
		hint := "nothing was kept; set Dir to keep checkpoints"
		switch {
		case cfg.Dir != "":
			hint = "run the cell again to go on from the checkpoint in " + cfg.Dir
		case k.resumable():
			hint = "run the cell again to go on from the checkpoint in the run store"
		}
		panic(&stop.Error{Op: op, Msg: err.Error(), Hint: hint, Err: err})
	}
	stop.If(op, err)
	r.Seconds = seen.seconds()
	r.Log, r.Stopped, r.Kept = t.Log, t.Stopped(), t.Kept()
	wrap()
	if k != nil {
		k.complete(t, r, r.Model.Fingerprint(), cfg)
	}
	return r
}

// names lists devices: "cuda, cuda:1".
func names(devs []backend.Backend) string {
	var out []string
	for _, d := range devs {
		out = append(out, d.Name())
	}
	return strings.Join(out, ", ")
}

// String is what Show gives in text, for fmt.Println.
func (r *Result) String() string { text, _ := r.Show(); return text }
