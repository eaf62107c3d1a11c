// Package eval turns predictions into scores that can be published: metrics equal to the field's own tools, an
// interval for every mean, paired comparisons, and a record of how each score was made that decides which scores may be
// compared.
//
// The order of work: a Metric scores Rows into a Score (ScoreTexts); scores of several seeds become one (Combine); two
// scores over the same documents become a Difference (Paired).
package eval

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
)

// Row is one document with what was asked, what is right, what was answered and what that is worth.
type Row struct {
	Prompt  string   // as the model got it, or the user's part of it
	Answer  string   // the right answer
	Refs    []string // further right answers
	Raw     string   // the model's text as generated
	Cleaned string   // what is scored: Raw cut at its stop and trimmed, or the answer taken out of it
	Task    string   // the task it belongs to; may be empty
	Options []Option // texts with their log-likelihoods: the answers to choose from, or the one text that was scored
	Score   float64  // 0 to 1, filled in by ScoreTexts
}

// references returns every right answer.
func (r *Row) references() []string {
	if r.Answer == "" {
		return r.Refs
	}
	return append([]string{r.Answer}, r.Refs...)
}

// How says in what way a score was made. Scores that differ in a field above the line are not comparable; the fields
// below it say what was scored.
type How struct {
	Metric      string   // set by ScoreTexts
	Normalise   string   // set by ScoreTexts
	Stemmer     string   // set by ScoreTexts
	TestSet     string   // name of the test set
	Fingerprint string   // of prompts and references; set by ScoreTexts when empty
	Template    string   // id of the chat template
	Shots       int      // examples shown before the question
	Stops       []string // texts that end an answer
	MaxNew      int      // most new tokens
	Decoding    string   // "greedy", "temperature 0.7, seed 3"
	Cleaning    string   // how Cleaned is made from Raw
	Window      string   // how long texts were cut for their log-likelihood
	Tokenizer   string   // of the model, where the metric depends on it
	Signature   string   // sacreBLEU's, of its metrics; set by ScoreTexts

	// ---- what was scored
	Model string  // name and, when tuned, what on
	Seeds []int64 // of the training runs; empty when there was none
}

// Score is a mean over documents with its interval and everything it was made from. Numbers run from 0 to 1.
type Score struct {
	Metric    string
	Mean      float64
	Lo, Hi    float64 // bounds of the interval of level Level
	N         int     // documents
	Level     float64 // 0.95
	Resamples int     // of the bootstrap

	Unit        float64 // what a 1 is printed as: 100, or 1 for perplexities and the like; 0 stands for 100
	LowerBetter bool    // less is better

	PerDoc []float64 // the score of each document; over several seeds, its mean. Mean is theirs unless the metric is of a corpus
	Seeds  []Seed    // one for each training run that went into it, in the order given
	Rows   []Row     // of the first seed
	How    How
	Notes  []string // what a reader must know before quoting the number
}

// Seed is the part of a score that belongs to one training run.
type Seed struct {
	Seed   int64
	Known  bool // whether How named the seed
	Mean   float64
	PerDoc []float64
	Counts []Tally // of each document, for a metric that is no mean over documents
}

// RowsError says which rows cannot be scored and why.
type RowsError struct {
	Bad  []string // "row 3: no reference answer", the first ten
	More int      // further ones
	Of   int      // rows in all
}

func (e *RowsError) Error() string {
	s := fmt.Sprintf("eval: %d of %d rows cannot be scored: %s", len(e.Bad)+e.More, e.Of, strings.Join(e.Bad, "; "))
	if e.More > 0 {
		s += fmt.Sprintf("; … and %d more", e.More)
	}
	return s
}

// ScoreTexts returns the mean of metric over rows with its 95 % interval. It scores Row.Cleaned against Row.Answer and
// Row.Refs, the best reference counting, and keeps a copy of the rows with their scores. The same rows give the same bits.
//
// It returns an error for no rows, and a *RowsError for rows without a reference answer or with a score outside 0 to 1.
func ScoreTexts(metric Metric, rows []Row, how How) (Score, error) {
	if metric.one == nil && metric.row == nil && metric.tally == nil {
		return Score{}, fmt.Errorf("eval: the metric is the zero value; wanted one from Find, NewMetric, RougeL or ExactMatch")
	}
	if len(rows) == 0 {
		return Score{}, fmt.Errorf("eval: %s: 0 rows; wanted at least one", metric.Name)
	}
	how.Metric, how.Normalise, how.Stemmer = metric.Name, metric.Normalise, metric.Stemmer
	if how.Fingerprint == "" {
		how.Fingerprint = Fingerprint(rows)
	}
	if !metric.perToken {
		how.Tokenizer = ""
	}
	if metric.sign != nil {
		how.Signature = metric.sign(countRefs(rows))
	}
	s := Score{Metric: metric.Name, N: len(rows), Level: 0.95, How: how, PerDoc: make([]float64, len(rows)), Rows: make([]Row, len(rows)),
		Unit: metric.unit, LowerBetter: metric.LowerBetter}
	var counts []Tally
	if metric.tally != nil {
		counts = make([]Tally, len(rows))
	}
	bad := &RowsError{Of: len(rows)}
	note := func(i int, why string) {
		if len(bad.Bad) == 10 {
			bad.More++
			return
		}
		bad.Bad = append(bad.Bad, fmt.Sprintf("row %d: %s", i, why))
	}
	blind := 0
	for i, r := range rows {
		refs := r.references()
		if len(refs) == 0 {
			note(i, "no reference answer")
			continue
		}
		var err error
		if metric.tally != nil {
			if counts[i], err = metric.tally(r); err != nil {
				note(i, err.Error())
				continue
			}
		}
		if r.Score, err = metric.document(r, at(counts, i)); err != nil {
			note(i, err.Error())
			continue
		}
		least := min(0, metric.least)
		if !(r.Score >= least && r.Score <= metric.highest()) || math.IsInf(r.Score, 0) {
			note(i, fmt.Sprintf("score %v is outside %v to %v", r.Score, least, metric.highest()))
			continue
		}
		unseen := true
		for _, ref := range refs {
			unseen = unseen && metric.empty(ref)
		}
		if unseen {
			blind++
		}
		s.PerDoc[i], s.Rows[i] = r.Score, r
	}
	if len(bad.Bad) > 0 {
		return Score{}, bad
	}
	if blind > 0 {
		hint := ""
		if metric.Normalise == asciiRule {
			hint = "; the unicode form of this metric keeps every script"
		}
		s.Notes = append(s.Notes, fmt.Sprintf("%d of %d documents have a reference of which %q leaves nothing%s", blind, len(rows), metric.Normalise, hint))
	}
	if metric.tallies != nil {
		counts = metric.tallies(s.Rows)
	}
	s.Mean = mean(s.PerDoc)
	if counts != nil {
		if err := checkTallies(metric, counts); err != nil {
			return Score{}, err
		}
		s.Mean = metric.value(total(counts, sizeOf(counts)))
		if math.IsNaN(s.Mean) || math.IsInf(s.Mean, 0) {
			return Score{}, fmt.Errorf("eval: %s of %s is %v", metric.Name, count(len(rows), "document"), s.Mean)
		}
	}
	seed := Seed{Mean: s.Mean, PerDoc: s.PerDoc, Counts: counts}
	if len(how.Seeds) == 1 {
		seed.Seed, seed.Known = how.Seeds[0], true
	}
	s.Seeds = []Seed{seed}
	if err := s.bounds(); err != nil {
		return Score{}, err
	}
	return s, nil
}

func at(list []Tally, i int) Tally {
	if list == nil {
		return nil
	}
	return list[i]
}

// countRefs returns the number of references of every row, "var" where they differ.
func countRefs(rows []Row) string {
	n := len(rows[0].references())
	for _, r := range rows {
		if len(r.references()) != n {
			return "var"
		}
	}
	return fmt.Sprint(n)
}

// Fingerprint returns 16 hexadecimal digits that depend on the prompts and reference answers of rows and their order,
// and on nothing else.
func Fingerprint(rows []Row) string {
	h := sha256.New()
	add := func(s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }
	for _, r := range rows {
		add(r.Prompt)
		add(r.Answer)
		fmt.Fprintf(h, "%d;", len(r.Refs))
		for _, ref := range r.Refs {
			add(ref)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Combine returns the score of several training runs on one test set: the mean over runs and documents, with an
// interval that covers both the choice of documents and the choice of seeds (see Interval). Scores that are themselves
// combined bring all their seeds.
//
// It returns an error for no scores and an *Unlike for scores made in different ways or over other documents.
func Combine(scores []Score) (Score, error) {
	if len(scores) == 0 {
		return Score{}, fmt.Errorf("eval: Combine of 0 scores; wanted at least one")
	}
	first := scores[0]
	for _, s := range scores[1:] {
		if err := unlike(first, s); err != nil {
			return Score{}, err
		}
	}
	if len(scores) == 1 {
		return first, nil
	}
	out := first
	out.Seeds, out.Notes, out.How.Seeds, out.How.Model = nil, nil, nil, ""
	var models []string
	for _, s := range scores {
		out.Seeds = append(out.Seeds, s.Seeds...)
		models = appendNew(models, s.How.Model)
		for _, n := range s.Notes {
			out.Notes = appendNew(out.Notes, n)
		}
	}
	out.How.Model = strings.Join(models, ", ")
	out.PerDoc = make([]float64, out.N)
	for _, seed := range out.Seeds {
		if seed.Known {
			out.How.Seeds = append(out.How.Seeds, seed.Seed)
		}
		for i, v := range seed.PerDoc {
			out.PerDoc[i] += v
		}
	}
	for i := range out.PerDoc {
		out.PerDoc[i] /= float64(len(out.Seeds))
	}
	out.Mean = mean(out.PerDoc)
	if first.Seeds[0].Counts != nil {
		out.Mean = mean(seedMeans(out.Seeds))
	}
	if err := out.bounds(); err != nil {
		return Score{}, err
	}
	return out, nil
}

// corpus returns the metric of a score that is no mean over documents, nil for one that is.
func (s *Score) corpus() (*Metric, error) {
	if len(s.Seeds) == 0 || s.Seeds[0].Counts == nil {
		return nil, nil
	}
	m, err := Find(s.Metric)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

func (s *Score) bounds() error {
	m, err := s.corpus()
	if err != nil {
		return err
	}
	e := estimate{centre: s.Mean, perDoc: s.PerDoc, lowest: 0, highest: 1}
	if m != nil {
		e.terms, e.value, e.lowest, e.highest = terms(s.Seeds, 1), m.value, m.least, m.highest()
	}
	b := e.interval(s.Level, seedMeans(s.Seeds))
	s.Lo, s.Hi, s.Resamples = b.lo, b.hi, b.resamples
	return nil
}

func seedMeans(seeds []Seed) []float64 {
	m := make([]float64, len(seeds))
	for i, s := range seeds {
		m[i] = s.Mean
	}
	return m
}

// String returns the score as it is quoted, times 100: "ROUGE-L 43.2 (95 % 41.0 to 45.3), 300 documents, 3 seeds".
func (s Score) String() string {
	return fmt.Sprintf("%s %s (%s %s to %s), %s, %s", s.Metric, s.Text(s.Mean), percent(s.Level), s.Text(s.Lo), s.Text(s.Hi),
		count(s.N, "document"), s.Runs())
}

// Text returns a value of this score as tables print it: times 100 with one decimal, or as it is with three for a metric
// whose unit is 1.
func (s Score) Text(v float64) string { return inUnit(v, s.Unit, false) }

// Shown returns a value of this score as tables print it, as a number.
func (s Score) Shown(v float64) float64 {
	if s.Unit == 1 {
		return v
	}
	return 100 * v
}

func inUnit(v, unit float64, sign bool) string {
	format := "%.1f"
	if unit == 1 {
		format = "%.3f"
	} else {
		v = round1(v)
	}
	if sign {
		format = strings.Replace(format, "%", "%+", 1)
	}
	return fmt.Sprintf(format, v)
}

// DistinctSeeds returns the number of different seeds; a run whose seed was not named counts as one of its own.
func (s Score) DistinctSeeds() int {
	known, n := map[int64]bool{}, 0
	for _, x := range s.Seeds {
		if !x.Known {
			n++
		} else if !known[x.Seed] {
			known[x.Seed] = true
			n++
		}
	}
	return n
}

// Runs says how many training runs the score is over: "3 seeds", or "12 runs of 3 seeds" where runs share seeds.
func (s Score) Runs() string {
	n := s.DistinctSeeds()
	if n == len(s.Seeds) {
		return count(n, "seed")
	}
	return count(len(s.Seeds), "run") + " of " + count(n, "seed")
}

// round1 brings a share to the scale of 100 with one decimal and without a negative zero.
func round1(v float64) float64 { return math.Round(v*1000)/10 + 0 }

func percent(level float64) string { return fmt.Sprintf("%.3g %%", level*100) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	if s == "" {
		return list
	}
	return append(list, s)
}

// At returns the same score with its interval at another level, between 0 and 1.
func (s Score) At(level float64) Score {
	if s.N > 0 && level != s.Level && level > 0 && level < 1 {
		was := s
		s.Level = level
		if s.bounds() != nil { // the metric's name was understood when the score was made
			return was
		}
	}
	return s
}
