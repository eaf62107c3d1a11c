package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/eval"
	"tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/tensor"
	"tunebook/engine/train"
)

// Work is a piece of work for one process.
type Work struct {
	Do     string // one of Kinds
	Model  string // the name of a geometry, for random weights; "base"; or what model.Open reads, a folder without a tokenizer included
	Device string // as backend.Open knows it
	Quant  string `json:",omitempty"` // the form that the frozen weights are held in, as backend.Quant writes it; empty for numbers
	LoRA   int    `json:",omitempty"` // rank of the adapters on all linear layers; 0 trains all weights
	Rows   Rows   // token ids

	Tokenizer string         `json:",omitempty"` // the folder of the tokenizer, for a model's folder that has none; empty for the base model's
	Questions []data.Example `json:",omitempty"` // of Likelihood

	Steps  int  `json:",omitempty"` // measured updates after the first
	New    int  `json:",omitempty"` // new tokens a prompt
	Reps   int  `json:",omitempty"` // measured repetitions after the first
	Shares bool `json:",omitempty"` // measure Result.Shares too, on further steps
	Small  bool `json:",omitempty"` // of Kernels: small shapes
}

// The kinds of work.
const (
	Kernels    = "kernels"    // the machine's peaks and each kernel of the device
	Steps      = "steps"      // updates on all rows at once: the rows are one batch
	Run        = "run"        // a pass over the rows in updates of 8, as a user runs it
	Generation = "generation" // greedy continuations of all rows at once
	Likelihood = "likelihood" // an evaluation of Questions by the log-likelihood of each choice
)

// Kinds are the kinds of work.
var Kinds = []string{Kernels, Steps, Run, Generation, Likelihood}

// Rows are rows of ids with labels as Hugging Face has them: Labels[i][j] is IDs[i][j] or backend.IgnoreIndex. No labels at all
// means that every token is one.
type Rows struct {
	IDs    [][]int32 `json:"ids"`
	Labels [][]int32 `json:"labels,omitempty"`
}

// Tokens returns the number of ids.
func (r Rows) Tokens() int {
	n := 0
	for _, row := range r.IDs {
		n += len(row)
	}
	return n
}

// RandomRows returns rows of equal length of ids drawn from a vocabulary.
func RandomRows(rows, length, vocab int, seed int64) Rows {
	rng := tensor.NewRNG(seed, "bench/rows")
	var r Rows
	for range rows {
		ids := make([]int32, length)
		for i := range ids {
			ids[i] = int32(rng.Intn(vocab))
		}
		r.IDs = append(r.IDs, ids)
	}
	return r
}

// vocabulary returns the number of ids of a model's folder, or that of the geometry where it has no configuration.
func vocabulary(folder, geometry string) int {
	raw, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err == nil {
		if c, err := model.ParseConfig(raw); err == nil {
			return c.VocabSize
		}
	}
	return Geometries[geometry].VocabSize
}

// sequences returns the rows as the trainer wants them.
func (r Rows) sequences() []data.Sequence {
	var out []data.Sequence
	for i, ids := range r.IDs {
		labels := ids
		if r.Labels != nil {
			labels = r.Labels[i]
		}
		out = append(out, data.Sequence{IDs: ids, Targets: append(slices.Clone(labels[1:]), backend.IgnoreIndex), Row: i})
	}
	return out
}

// Result is what a process measured. The keys are those of the scripts for other programs.
type Result struct {
	SetUp     float64            `json:"setup_s,omitempty"`                   // from the process's start to the first step or token
	FirstStep float64            `json:"cold_to_first_step_done_s,omitempty"` // from the process's start to the end of the first step
	StepMin   float64            `json:"step_min_s,omitempty"`
	StepMed   float64            `json:"step_med_s,omitempty"`
	Best      float64            `json:"tok_s_best,omitempty"` // tokens a second
	Median    float64            `json:"tok_s_med,omitempty"`
	Loss      []float64          `json:"loss,omitempty"` // of the first and the last measured step; of Likelihood: summed over all choices
	Prefill   float64            `json:"prefill_tok_s_best,omitempty"`
	Decode    float64            `json:"decode_tok_s_best,omitempty"`
	DecodeMed float64            `json:"decode_tok_s_med,omitempty"`
	Rows      float64            `json:"rows_s,omitempty"`        // rows a second
	Planned   int64              `json:"planned_bytes,omitempty"` // of Steps: the weights, and what the trainer reckons to take besides; compare Peak
	Shares    map[string]float64 `json:"shares,omitempty"`        // of a step's time, by part; see backend.Parts, and "rest"
	Rates     map[string]float64 `json:"rates,omitempty"`         // GFLOP/s of a part's work in its time
	Model     string             `json:"model,omitempty"`
	Machine   *Machine           `json:"machine,omitempty"` // of Kernels
	Kernels   []Kernel           `json:"kernels,omitempty"`
	Info      string             `json:"info,omitempty"`
	Import    float64            `json:"import_s,omitempty"` // of the other programs' set-up
	ImportT   float64            `json:"import_torch_s,omitempty"`
	ImportTF  float64            `json:"import_tf_s,omitempty"`
	Load      float64            `json:"load_s,omitempty"`
	PEFT      float64            `json:"peft_s,omitempty"`
	Token     float64            `json:"cold_first_token_s,omitempty"` // of other programs that generate, for FirstStep
	Peak      int64              `json:"-"`                            // bytes; the process that started it sets it
}

// Ready returns the seconds before the first step or token.
func (r Result) Ready() float64 {
	if r.SetUp > 0 {
		return r.SetUp
	}
	return r.Import + r.ImportT + r.ImportTF + r.Load + r.PEFT
}

// First returns the seconds from the process's start to the end of the first step or token.
func (r Result) First() float64 { return max(r.FirstStep, r.Token) }

// Started is the environment variable that tells a process when it was started, in nanoseconds since 1970.
const Started = "TUNEBOOK_BENCH_STARTED"

// started returns when this process was started.
func started() time.Time {
	if n, err := strconv.ParseInt(os.Getenv(Started), 10, 64); err == nil {
		return time.Unix(0, n)
	}
	return time.Now()
}

// Geometries are the models that are measured where no folder is named: that of SmolLM2-135M and one of 9.4 million weights.
var Geometries = map[string]model.Config{
	"smol": {ModelType: "llama", VocabSize: 49152, HiddenSize: 576, IntermediateSize: 1536, NumHiddenLayers: 30, NumAttentionHeads: 9,
		NumKeyValueHeads: 3, HeadDim: 64, MaxPositionEmbeddings: 8192, RMSNormEps: 1e-5, RopeTheta: 1e5, TieWordEmbeddings: true},
	"tiny": {ModelType: "llama", VocabSize: 4096, HiddenSize: 256, IntermediateSize: 1024, NumHiddenLayers: 8, NumAttentionHeads: 4,
		NumKeyValueHeads: 4, HeadDim: 64, MaxPositionEmbeddings: 2048, RMSNormEps: 1e-6, RopeTheta: 1e4, TieWordEmbeddings: true},
}

// quants returns what model.Open wants for a form's name.
func quants(name string) ([]backend.Quant, error) {
	if name == "" {
		return nil, nil
	}
	for _, q := range backend.Quants {
		if q.String() == name {
			return []backend.Quant{q}, nil
		}
	}
	return nil, fmt.Errorf("bench: quantisation %q; wanted one of %v", name, backend.Quants)
}

// withTokenizer is a model's folder in which another folder's tokenizer stands where it has none.
type withTokenizer struct {
	fs.FS
	tokenizer fs.FS
}

func (f withTokenizer) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil && (name == "tokenizer.json" || name == "tokenizer_config.json") {
		if own, e := f.tokenizer.Open(name); e == nil {
			return own, nil
		}
	}
	return file, err
}

// tokenizer returns the folder of the tokenizer.
func (w Work) tokenizer() fs.FS {
	if w.Tokenizer != "" {
		return os.DirFS(w.Tokenizer)
	}
	return base.Files
}

func (w Work) open(dev backend.Backend) (*model.Model, error) {
	q, err := quants(w.Quant)
	if err != nil {
		return nil, err
	}
	if c, ok := Geometries[w.Model]; ok {
		m, err := model.New(dev, c, 1)
		if err == nil && len(q) > 0 {
			m, err = m.Quantize(q[0])
		}
		if err == nil && w.Do == Likelihood {
			m.Tokenizer, err = readTokenizer(w.tokenizer())
		}
		return m, err
	}
	if w.Model == base.Name {
		return model.OpenFS(dev, base.Files, base.Name, q...)
	}
	if st, err := os.Stat(w.Model); err == nil && st.IsDir() {
		return model.OpenFS(dev, withTokenizer{os.DirFS(w.Model), w.tokenizer()}, filepath.Base(w.Model), q...)
	}
	return model.Open(dev, w.Model, q...)
}

// Measure does the work and returns what it measured.
func (w Work) Measure(ctx context.Context) (Result, error) {
	start := started()
	dev, err := backend.Open(w.Device)
	if err != nil {
		return Result{}, err
	}
	if w.Do == Kernels {
		return w.kernels(ctx, dev)
	}
	if len(w.Rows.IDs) == 0 && len(w.Questions) == 0 {
		return Result{}, fmt.Errorf("bench: %s: no rows; wanted at least 1", w.Do)
	}
	timed := backend.NewTimed(dev)
	timed.Idle = true
	if w.Shares {
		dev = timed
	}
	m, err := w.open(dev)
	if err != nil {
		return Result{}, err
	}
	r := Result{Model: w.Model, Info: dev.Info()}
	switch w.Do {
	case Steps:
		err = w.steps(&r, m, timed, start)
	case Run:
		err = w.run(ctx, &r, m, start)
	case Generation:
		err = w.generation(ctx, &r, m, start)
	case Likelihood:
		err = w.likelihood(ctx, &r, m, start)
	default:
		err = fmt.Errorf("bench: work %q; wanted one of %v", w.Do, Kinds)
	}
	return r, err
}

// kernels measures the machine and the device's kernels.
func (w Work) kernels(ctx context.Context, dev backend.Backend) (r Result, err error) {
	m := MeasureMachine(w.Small)
	r = Result{Machine: &m, Info: dev.Info()}
	ours := &m
	if dev.Name() != "cpu" && dev.Name() != "cpu-bf16" {
		ours = nil
	}
	r.Kernels, err = MeasureKernels(ctx, dev, ours, w.Small)
	return r, err
}

// config is AdamW as torch.optim has it by default, with the clipping and the rate of the scripts.
func (w Work) config() train.Config {
	c := train.Config{LR: 1e-4, Steps: 1 << 20, BatchSize: len(w.Rows.IDs), MicroTokens: max(4096, w.Rows.Tokens()), Schedule: "constant", Warmup: -1, WeightDecay: 0.01, Clip: 1}
	if w.LoRA > 0 {
		c.LoRA = model.LoRA{Rank: w.LoRA}
	}
	return c
}

// trainer returns what makes an update, and the bytes of the weights together with those that the trainer reckons to take.
func (w Work) trainer(m *model.Model) (step func() (train.Report, error), planned int64, err error) {
	seqs := w.Rows.sequences()
	t, err := train.New(m, seqs, []string{"rows"}, w.config())
	if err != nil {
		return nil, 0, err
	}
	batch := []data.Batch{data.Pack(seqs)}
	return func() (train.Report, error) { return t.Step(batch) }, m.Bytes() + t.Memory().Total(), nil
}

func (w Work) steps(r *Result, m *model.Model, dev *backend.Timed, start time.Time) error {
	step, planned, err := w.trainer(m)
	if err != nil {
		return err
	}
	r.SetUp, r.Planned = time.Since(start).Seconds(), planned
	report, err := step()
	if err != nil {
		return err
	}
	r.FirstStep = time.Since(start).Seconds()
	r.Loss = []float64{report.Loss, report.Loss}
	var times []float64
	for range w.Steps {
		from := time.Now()
		if report, err = step(); err != nil {
			return err
		}
		times = append(times, time.Since(from).Seconds())
		r.Loss[1] = report.Loss
	}
	r.times(times, w.Rows.Tokens())
	if w.Shares {
		return r.shares(dev, step)
	}
	return nil
}

func (r *Result) times(times []float64, tokens int) {
	if len(times) == 0 {
		return
	}
	r.StepMin, r.StepMed = slices.Min(times), Median(times)
	r.Best, r.Median = float64(tokens)/r.StepMin, float64(tokens)/r.StepMed
}

// shares makes two more updates while the device keeps the time of each operation.
func (r *Result) shares(dev *backend.Timed, step func() (train.Report, error)) error {
	dev.Idle = false
	dev.Reset()
	from := time.Now()
	for range 2 {
		if _, err := step(); err != nil {
			return err
		}
	}
	r.Shares, r.Rates = share(dev.Of, dev.Work, time.Since(from))
	return nil
}

// share returns the parts of a time as shares of 1, what no part has under "rest", and the rates of the parts that have work, in
// GFLOP/s.
func share(of map[string]time.Duration, work map[string]float64, all time.Duration) (shares, rates map[string]float64) {
	shares, rates = map[string]float64{}, map[string]float64{}
	rest := all
	for part, took := range of {
		shares[part] = took.Seconds() / all.Seconds()
		rest -= took
		if w := work[part]; w > 0 && took > 0 {
			rates[part] = w / took.Seconds() / 1e9
		}
	}
	shares["rest"] = rest.Seconds() / all.Seconds()
	return shares, rates
}

// run trains on all rows once, in updates of 8 rows, in a shuffled order.
func (w Work) run(ctx context.Context, r *Result, m *model.Model, start time.Time) error {
	c := w.config()
	c.BatchSize, c.MicroTokens, c.Steps, c.Epochs = 8, 0, 0, 1
	t, err := train.New(m, w.Rows.sequences(), []string{"rows"}, c)
	if err != nil {
		return err
	}
	r.SetUp = time.Since(start).Seconds()
	from, rows := time.Now(), 0
	err = t.Run(ctx, func(p train.Report) {
		if r.FirstStep == 0 { // the first update warms up
			r.FirstStep = time.Since(start).Seconds()
			r.Loss = []float64{p.Loss, p.Loss}
			from = time.Now()
			return
		}
		r.Loss[1] = p.Loss
		rows += c.BatchSize
		r.Rows = float64(rows) / time.Since(from).Seconds()
	})
	return err
}

func (w Work) generation(ctx context.Context, r *Result, m *model.Model, start time.Time) error {
	gen := func(n int) (float64, error) {
		from := time.Now()
		_, err := m.Generate(ctx, w.Rows.IDs, model.Greedy{MaxNew: n, Batch: len(w.Rows.IDs)}, nil)
		return time.Since(from).Seconds(), err
	}
	r.SetUp = time.Since(start).Seconds()
	if _, err := gen(1); err != nil {
		return err
	}
	r.FirstStep = time.Since(start).Seconds()
	var first, rest []float64
	for range w.Reps {
		one, err := gen(1)
		if err != nil {
			return err
		}
		all, err := gen(w.New)
		if err != nil {
			return err
		}
		first, rest = append(first, one), append(rest, all-one)
	}
	if len(rest) > 0 {
		n := float64(len(w.Rows.IDs) * (w.New - 1))
		r.Prefill = float64(w.Rows.Tokens()) / slices.Min(first)
		r.Decode, r.DecodeMed = n/slices.Min(rest), n/Median(rest)
	}
	return nil
}

func (w Work) likelihood(ctx context.Context, r *Result, m *model.Model, start time.Time) error {
	task := eval.Task{Name: "bench", Kind: eval.KindChoose, Examples: w.Questions, Raw: true}
	r.SetUp = time.Since(start).Seconds()
	var times []float64
	choices := 0
	for i := range 1 + w.Reps {
		from := time.Now()
		rows, _, err := task.Rows(ctx, m, nil)
		if err != nil {
			return err
		}
		if i == 0 {
			r.FirstStep = time.Since(start).Seconds()
			continue
		}
		times = append(times, time.Since(from).Seconds())
		nll := 0.0
		choices = 0
		for _, row := range rows {
			choices += len(row.Options)
			for _, o := range row.Options {
				nll -= o.LogProb
			}
		}
		r.Loss = []float64{nll}
	}
	if len(times) > 0 {
		r.Rows = float64(choices) / Median(times)
	}
	return nil
}

// Median returns the middle of the values, the mean of the two middle ones where their number is even; NaN for none.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// Child reads a Work as JSON, measures it and returns the line to print.
func Child(ctx context.Context, work []byte) ([]byte, error) {
	var w Work
	if err := json.Unmarshal(work, &w); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	r, err := w.Measure(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}
