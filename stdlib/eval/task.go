package eval

import (
	core "tunebook/engine/eval"
	"tunebook/stdlib/data"
	"tunebook/stdlib/host"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// Kind says how a task is answered.
type Kind = core.Kind

// The kinds of answers.
const (
	Generate = core.KindGenerate // the model writes the answer
	Span     = core.KindSpan     // it writes a piece of the question: scored by SQuAD's token F1
	Choose   = core.KindChoose   // it finds the most likely of the example's choices, or of the task's labels
	Classify = core.KindClassify // it finds the most likely of the task's labels
	Foresee  = core.KindScore    // it only foresees the right answer: perplexity and the like
)

// Norm says by what a log-likelihood is divided, or what is taken from it, before answers of different length are compared:
// "" as it is, "length" over characters, "bytes", "unconditional" minus that without the question.
type Norm = core.Norm

// Cleaner takes the answer out of a model's text.
type Cleaner = core.Cleaner

// FindCleaner returns the cleaner of that name: trim, first-line, bbh (after the last "answer is "), gsm8k (the number after
// "####" or "A:"), last-number, letter ("(A)").
func FindCleaner(name string) Cleaner {
	c, err := core.FindCleaner(name)
	stop.If("eval.FindCleaner", err)
	return c
}

// NewCleaner returns a cleaner of your own. The name says in words what it does.
func NewCleaner(name string, clean func(raw string) string) Cleaner {
	return core.NewCleaner(name, clean)
}

// Task is what is asked of a model and how its answers are read and scored. Only Test must be there: then the model writes
// greedy answers, which are right when they are equal to the right one.
type Task struct {
	Name string // the name of Test when empty
	Kind Kind   // Generate when empty
	Test *data.Set

	// Shots examples are shown before each question, drawn for each one anew from Pool (from Test where it is nil), never
	// the question itself.
	Shots    int
	Pool     *data.Set
	ShotSeed int64

	Raw         bool   // ask with plain text instead of the model's chat template
	Delimiter   string // of plain text, before answers: a blank when empty
	Separator   string // of plain text, between examples: two newlines when empty
	Description string // stands before everything: the system message, or the beginning of the plain text

	Labels   []string // to choose from, where examples have no choices of their own
	Norm     Norm
	Stops    []string // texts that end a written answer, beside the template's stop token
	MaxNew   int      // new tokens of a written answer at most; 64 when 0
	Sampling model.Sampling
	Cleaner  string // see FindCleaner; "trim" when empty, "first-line" for spans
	Metric   string // see Find; the usual one of the kind when empty

	Batch int  // answers at once; 32 when 0. It changes the speed, not the answers
	Quiet bool // no progress line
}

// Ask returns the model's answers.
func (t Task) Ask(m *model.Model) *Answers { return t.ask("eval.Ask", m) }

// Run asks the model and returns the score of its answers.
func (t Task) Run(m *model.Model) Score {
	a := t.ask("eval.Run", m)
	return a.Score(a.metric)
}

func (t Task) ask(op string, m *model.Model) *Answers {
	if t.Test == nil {
		stop.Now(op, "the task has no Test; wanted a set of examples", "")
	}
	if m == nil {
		stop.Now(op, "the model is nil", "")
	}
	c := core.Task{Name: t.Name, Kind: t.Kind, Examples: t.Test.Engine().Rows, Shots: t.Shots, ShotSeed: t.ShotSeed, Raw: t.Raw,
		Delimiter: t.Delimiter, Separator: t.Separator, Description: t.Description, Labels: t.Labels, Norm: t.Norm, Stops: t.Stops,
		MaxNew: t.MaxNew, Sampling: t.Sampling, Batch: t.Batch}
	if c.Name == "" {
		c.Name = t.Test.Name()
	}
	if t.Pool != nil {
		c.Pool = t.Pool.Engine().Rows
	}
	if t.Cleaner != "" {
		c.Clean = FindCleaner(t.Cleaner)
	}
	if t.Metric != "" {
		c.Metric = Find(t.Metric)
	}
	var done func(int)
	if !t.Quiet {
		bar := host.Progress("ask "+c.Name, int64(t.Test.Len()), "answer")
		defer bar.Done("")
		done = func(n int) { bar.Set(int64(n), "") }
	}
	rows, how, err := c.Rows(host.Context(), m.Engine(), done)
	stop.If(op, err)
	how.Seeds = m.Seeds()
	return &Answers{rows: rows, how: how, metric: c.Filled().Metric}
}

// Rolling says how long texts are cut for their log-likelihood: windows of so many tokens, of which Context were predicted
// in the window before.
type Rolling = core.Rolling

// Foreseen returns how well a model foresees plain documents, as a metric of Find says: perplexity, word-perplexity,
// byte-perplexity, bits-per-byte or nats-per-token.
func Foreseen(m *model.Model, metric, name string, texts []string, r Rolling) Score {
	const op = "eval.Foreseen"
	rows, how, err := core.TextRows(host.Context(), m.Engine(), texts, r, nil)
	stop.If(op, err)
	how.TestSet, how.Seeds = name, m.Seeds()
	s, err := core.ScoreTexts(Find(metric), rows, how)
	stop.If(op, err)
	return Score{s}
}
