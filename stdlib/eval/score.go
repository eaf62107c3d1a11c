// Package eval scores answers: with a model on a test set, or texts that are there already. A score carries its 95 %
// interval, its documents and how it was made; scores made in different ways refuse to be compared.
package eval

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"

	core "tunebook/engine/eval"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Score is a mean over documents with its interval. Mean, Lo and Hi run from 0 to 1 and are shown times 100; N is the
// number of documents.
type Score struct{ core.Score }

// Row is one document: prompt, right answers, the model's text raw and cleaned, and its score.
type Row = core.Row

// Seed is the part of a score that belongs to one training run.
type Seed = core.Seed

// Option is a text whose log-likelihood was measured: an answer to choose from, or a document.
type Option = core.Option

// Tally is what one document adds to the counts of a metric that is no mean over documents.
type Tally = core.Tally

// Count is one number of a Tally.
type Count = core.Count

// How says in what way a score was made.
type How = core.How

// Metric turns predictions and their right answers into a number: a mean over documents, or one of all of them.
type Metric = core.Metric

// Find returns the metric of that name. Options follow after "+": "rougeL+stem", "bleu+lower+intl".
//
//	exact, exact-normalised (SQuAD's rules), exact-superni, f1
//	rouge1, rouge2, rougeL, rougeLsum      +stem (Porter) +unicode (words of every script)
//	bleu                                   +lower +intl, zh, char or none (tokens) +smooth-none, smooth-floor or smooth-add-k
//	chrf, chrf++, ter                      +lower for the first two, +case for ter
//	accuracy, macro-f1, micro-f1, mcc      of labels; +references for the F1 over the references' labels only
//	entity-f1                              of IOB2 tags as seqeval reads them by default; +strict, +strict+iobes; +macro
//	recall@10, ndcg@10, map                of ranked lists, one item a line
//	choice, choice-length, choice-bytes, choice-unconditional   of log-likelihoods of answers to choose from
//	perplexity, word-perplexity, byte-perplexity, bits-per-byte, nats-per-token   of log-likelihoods of texts
//
// Case, blanks, "-" and "_" do not matter, and the name that a metric prints is understood as well.
func Find(metric string) Metric {
	m, err := core.Find(metric)
	stop.If("eval.Find", err)
	return m
}

// NewMetric returns a metric of your own. score gets a prediction and one right answer and returns a number from 0 to 1;
// normalise says in words what it does to the texts.
func NewMetric(name, normalise string, score func(prediction, reference string) float64) Metric {
	return core.NewMetric(name, normalise, score)
}

// Texts returns the score of predictions[i] against references[i], for every i. Metric is a name as Find reads it.
func Texts(metric string, predictions, references []string) Score {
	several := make([][]string, len(references))
	for i, r := range references {
		several[i] = []string{r}
	}
	return TextsRefs(metric, predictions, several)
}

// TextsRefs returns the score of predictions[i] against the best of references[i], for every i.
func TextsRefs(metric string, predictions []string, references [][]string) Score {
	if len(predictions) != len(references) {
		stop.Now("eval.Texts", fmt.Sprintf("%d predictions and %d references; wanted as many", len(predictions), len(references)), "")
	}
	rows := make([]Row, len(predictions))
	for i, p := range predictions {
		rows[i] = Row{Refs: references[i], Raw: p, Cleaned: p}
	}
	return Rows(Find(metric), rows, How{})
}

// Rows returns the score of rows: Cleaned against Answer and Refs. How holds what a reader must know to repeat it.
func Rows(metric Metric, rows []Row, how How) Score {
	s, err := core.ScoreTexts(metric, rows, how)
	stop.If("eval.Rows", err)
	return Score{s}
}

// Combine returns the score of several training runs on one test set, with an interval that covers the choice of documents
// and of seeds.
func Combine(scores ...Score) Score {
	list := make([]core.Score, len(scores))
	for i, s := range scores {
		list[i] = s.Score
	}
	c, err := core.Combine(list)
	stop.If("eval.Combine", err)
	return Score{c}
}

// At returns the same score with its interval at another level, between 0 and 1: 0.9 for 90 %.
func (s Score) At(level float64) Score { return Score{s.Score.At(level)} }

// Show returns the score in one sentence and how it was made.
func (s Score) Show() (text, html string) {
	if s.N == 0 {
		return "no score", ""
	}
	how := s.describe()
	t := s.String() + "\n"
	for _, h := range how {
		t += "  " + h[0] + ": " + grid.Visible(h[1]) + "\n"
	}
	for _, n := range s.Notes {
		t += "  note: " + grid.Visible(n) + "\n"
	}
	return t, s.page(how)
}

func (s Score) page(how [][2]string) string {
	var b strings.Builder
	b.WriteString(`<p class="tb-score"><strong>` + html.EscapeString(s.String()) + "</strong></p>\n")
	for _, n := range s.Notes {
		b.WriteString(`<p class="tb-note">` + html.EscapeString(grid.Visible(n)) + "</p>\n")
	}
	table := grid.Table{Columns: []grid.Column{{Name: "made with"}, {Name: ""}}}
	for _, h := range how {
		table.Rows = append(table.Rows, []string{h[0], h[1]})
	}
	b.WriteString("<details><summary>How it was made</summary>" + table.HTML() + "</details>\n")
	return b.String()
}

// describe lists what is known of how the score was made.
func (s Score) describe() [][2]string {
	h := s.How
	var out [][2]string
	add := func(name, value string) {
		if value != "" {
			out = append(out, [2]string{name, value})
		}
	}
	add("model", h.Model)
	if len(h.Seeds) > 0 {
		add("seeds", strings.Trim(fmt.Sprint(h.Seeds), "[]"))
	}
	add("test set", strings.TrimSpace(h.TestSet+" ("+h.Fingerprint+")"))
	add("template", h.Template)
	if h.MaxNew > 0 {
		add("shots", fmt.Sprint(h.Shots))
		add("most new tokens", fmt.Sprint(h.MaxNew))
	}
	var stops []string
	for _, x := range h.Stops {
		stops = append(stops, fmt.Sprintf("%q", x))
	}
	add("stops", strings.Join(stops, ", "))
	add("decoding", h.Decoding)
	add("cleaning", h.Cleaning)
	add("window", h.Window)
	add("tokenizer", h.Tokenizer)
	add("normalisation", h.Normalise)
	add("signature", h.Signature)
	add("stemmer", h.Stemmer)
	level := "documents"
	if len(s.Seeds) > 1 {
		level = "documents and seeds"
	}
	add("interval", fmt.Sprintf("bootstrap over %s, percentiles of %d resamples", level, s.Resamples))
	return out
}

// Examples is a list of scored rows that shows itself as a table.
type Examples struct {
	Title string
	Rows  []Row

	text func(v float64) string // of a row's score; times 100 when nil
}

// Worst returns the n rows with the worst scores, the first of equals first.
func (s Score) Worst(n int) Examples {
	return s.sorted(n, "worst", func(a, b Row) int { return s.better(b, a) })
}

// Best returns the n rows with the best scores, the first of equals first.
func (s Score) Best(n int) Examples {
	return s.sorted(n, "best", s.better)
}

// Head returns the first n rows.
func (s Score) Head(n int) Examples {
	return s.sorted(n, "first", func(a, b Row) int { return 0 })
}

// better orders rows from the best score down.
func (s Score) better(a, b Row) int {
	if s.LowerBetter {
		a, b = b, a
	}
	return cmp.Compare(b.Score, a.Score)
}

func (s Score) sorted(n int, which string, by func(a, b Row) int) Examples {
	rows := slices.Clone(s.Rows)
	slices.SortStableFunc(rows, by)
	n = max(0, min(n, len(rows)))
	title := fmt.Sprintf("the %s %d of %d documents", which, n, len(rows))
	if len(s.Seeds) > 1 {
		title += fmt.Sprintf(", of the first of %d seeds", len(s.Seeds))
	}
	return Examples{Title: title, Rows: rows[:n], text: s.Text}
}

// String is what Show gives in text, for fmt.Println.
func (e Examples) String() string { text, _ := e.Show(); return text }

// Show returns the rows as a table of prompt, answer, raw and cleaned prediction, and score times 100.
func (e Examples) Show() (text, html string) {
	number := e.text
	if number == nil {
		number = Score{}.Text
	}
	t := grid.Table{Caption: e.Title, Columns: []grid.Column{{Name: "prompt"}, {Name: "answer"}, {Name: "raw"}, {Name: "cleaned"}, {Name: "score", Right: true}}}
	long := grid.Table{Caption: e.Title, Columns: t.Columns}
	for _, r := range e.Rows {
		refs := r.Refs
		if r.Answer != "" {
			refs = append([]string{r.Answer}, r.Refs...)
		}
		cells := []string{r.Prompt, strings.Join(refs, " / "), r.Raw, r.Cleaned, number(r.Score)}
		long.Rows = append(long.Rows, cells)
		short := slices.Clone(cells)
		for i, c := range short {
			short[i] = cut(c, 28)
		}
		t.Rows = append(t.Rows, short)
	}
	return t.Text(), long.HTML()
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
