package eval

import (
	"fmt"
	"slices"

	core "tunebook/engine/eval"
	"tunebook/stdlib/data"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// Greedy says how answers are generated: always the most likely token.
type Greedy struct {
	MaxNew int  // new tokens at most, the stop token included; 64
	Batch  int  // answers at once; 32. It changes the speed, not the answers
	Quiet  bool // no progress line
}

// Answers are a model's answers to a test set: made once, scored as often as one likes.
type Answers struct {
	rows   []core.Row
	how    core.How
	metric Metric
}

// Rows returns a row for each example.
func (a *Answers) Rows() []Row { return slices.Clone(a.rows) }

// Cleaned returns the same answers with another cleaner (see FindCleaner) applied to the model's text.
func (a *Answers) Cleaned(c Cleaner) *Answers {
	out := *a
	out.rows, out.how.Cleaning = c.Apply(a.rows), c.Name
	return &out
}

// Ask generates the model's answer to every example of a test set.
func Ask(m *model.Model, test *data.Set, g Greedy) *Answers {
	return Task{Test: test, MaxNew: g.MaxNew, Batch: g.Batch, Quiet: g.Quiet}.ask("eval.Ask", m)
}

// Score returns the mean of any metric (see Find) over the answers.
func (a *Answers) Score(metric Metric) Score {
	s, err := core.ScoreTexts(metric, a.rows, a.how)
	stop.If("eval.Score", err)
	return Score{Score: s}
}

// ExactMatch returns the share of answers that are one of the right ones, letter for letter.
func (a *Answers) ExactMatch() Score { return a.Score(core.ExactMatch()) }

// RougeL returns the mean ROUGE-L F-measure, as rouge_score 0.1.2 computes it, the best reference counting.
func (a *Answers) RougeL() Score { return a.Score(core.RougeL()) }

// Show gives the answers' number and the first few of them.
func (a *Answers) Show() (text, html string) {
	return a.Score(a.metric).Head(5).Show()
}

// ExactMatch asks and returns the share of answers that are right, letter for letter.
func ExactMatch(m *model.Model, test *data.Set, g Greedy) Score { return Ask(m, test, g).ExactMatch() }

// RougeL asks and returns the mean ROUGE-L of the answers.
func RougeL(m *model.Model, test *data.Set, g Greedy) Score { return Ask(m, test, g).RougeL() }

// Loss returns the mean negative log-likelihood of a test set's answers per token, in nats, and its exponential, the
// perplexity, in a sentence.
func Loss(m *model.Model, test *data.Set) Likelihood {
	nll, n, err := core.Likelihood(m.Engine(), test.Engine().Rows)
	stop.If("eval.Loss", err)
	return Likelihood{PerToken: nll / float64(n), Tokens: n, Test: test.Name()}
}

// Likelihood is how well a model foresees the answers of a test set.
type Likelihood struct {
	PerToken float64 // nats
	Tokens   int     // answer tokens, stop tokens included
	Test     string
}

// Show gives the number in a sentence.
func (l Likelihood) Show() (text, html string) {
	return fmt.Sprintf("%s: %.4f nats per answer token over %d tokens", l.Test, l.PerToken, l.Tokens), ""
}

// TextLoss returns the mean negative log-likelihood per token, in nats, of plain documents.
func TextLoss(m *model.Model, texts []string) float64 {
	nll, n, err := core.TextLikelihood(m.Engine(), texts)
	stop.If("eval.TextLoss", err)
	return nll / float64(n)
}

// String is what Show gives in text, for fmt.Println.
func (a *Answers) String() string { text, _ := a.Show(); return text }

// String is what Show gives in text.
func (l Likelihood) String() string { text, _ := l.Show(); return text }
