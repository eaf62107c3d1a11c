package eval

import (
	"fmt"

	core "tunebook/engine/eval"
	"tunebook/stdlib/data"
	"tunebook/stdlib/host"
	"tunebook/stdlib/model"
	"tunebook/stdlib/stop"
)

// Greedy says how answers are generated: always the most likely token.
type Greedy struct {
	MaxNew int  // new tokens at most, the stop token included; 64
	Batch  int  // answers at once; 32. It changes the speed, not the answers
	Quiet  bool // no progress line
}

// ExactMatch returns the share of test prompts whose greedy answer is one of the right ones, letter for letter.
func ExactMatch(m *model.Model, test *data.Set, g Greedy) Score {
	return score("eval.ExactMatch", core.ExactMatch(), m, test, g)
}

// RougeL returns the mean ROUGE-L F-measure of greedy answers, as rouge_score 0.1.2 computes it, the best reference
// counting.
func RougeL(m *model.Model, test *data.Set, g Greedy) Score {
	return score("eval.RougeL", core.RougeL(), m, test, g)
}

// Generate returns the mean of any metric (see Find) over greedy answers.
func Generate(metric Metric, m *model.Model, test *data.Set, g Greedy) Score {
	return score("eval.Generate", metric, m, test, g)
}

func score(op string, metric Metric, m *model.Model, test *data.Set, g Greedy) Score {
	cg := core.Greedy{MaxNew: g.MaxNew, Batch: g.Batch}
	var done func(int)
	var bar *host.Bar
	if !g.Quiet {
		bar = host.Progress("score "+test.Name(), int64(test.Len()), "answer")
		done = func(n int) { bar.Set(int64(n), "") }
	}
	rows, err := core.Answers(host.Context(), m.Engine(), test.Engine().Rows, cg, done)
	if bar != nil {
		note := ""
		if err != nil {
			note = "stopped"
		}
		bar.Done(note)
	}
	stop.If(op, err)
	how := core.HowGreedy(m.Engine(), test.Name(), cg)
	how.Seeds = m.Seeds()
	s, err := core.ScoreTexts(metric, rows, how)
	stop.If(op, err)
	return Score{Score: s}
}

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
