package eval

import (
	"fmt"
	"math"
	"strings"
)

// Difference is how much the second of two scores lies above the first, over the same documents. Numbers are shares:
// 0.021 is 2.1 points.
type Difference struct {
	Metric    string
	Mean      float64 // second minus first
	Lo, Hi    float64
	Level     float64
	Unit      float64 // what a 1 is printed as, as in Score
	P         float64 // two-sided, of the same bootstrap as Lo and Hi: covers what they cover
	Test      string  // "McNemar, exact", "permutation of signs" or, for a metric of a corpus, "approximate randomisation": a second opinion over documents alone
	TestP     float64
	Effect    float64 // mean over the standard deviation of the documents' differences; NaN when that is zero
	N         int     // documents
	Better    int     // documents on which the second is better
	Worse     int     // documents on which it is worse
	Seeds     int     // seeds that both scores have, compared one by one; 1 when the scores are of one run each
	Resamples int
	PerDoc    []float64 // second minus first, mean over seeds
	Notes     []string
}

// Unlike says in what two scores differ that may not be compared.
type Unlike struct {
	Differences []string // "template: chatml, alpaca"
}

func (e *Unlike) Error() string {
	return fmt.Sprintf("eval: the scores were made in different ways: %s; wanted equal ones", strings.Join(e.Differences, "; "))
}

// unlike returns an *Unlike unless a and b were made in the same way over the same documents.
func unlike(a, b Score) error {
	var d []string
	text := func(field, x, y string) {
		if x != y {
			d = append(d, fmt.Sprintf("%s: %s, %s", field, orNone(x), orNone(y)))
		}
	}
	number := func(field string, x, y int) {
		if x != y {
			d = append(d, fmt.Sprintf("%s: %d, %d", field, x, y))
		}
	}
	text("metric", a.How.Metric, b.How.Metric)
	text("normalisation", a.How.Normalise, b.How.Normalise)
	text("stemmer", a.How.Stemmer, b.How.Stemmer)
	text("test set", a.How.TestSet, b.How.TestSet)
	text("test set's fingerprint", a.How.Fingerprint, b.How.Fingerprint)
	number("documents", a.N, b.N)
	text("template", a.How.Template, b.How.Template)
	number("shots", a.How.Shots, b.How.Shots)
	text("stops", fmt.Sprintf("%q", a.How.Stops), fmt.Sprintf("%q", b.How.Stops))
	number("max new tokens", a.How.MaxNew, b.How.MaxNew)
	text("decoding", a.How.Decoding, b.How.Decoding)
	text("cleaning", a.How.Cleaning, b.How.Cleaning)
	text("window", a.How.Window, b.How.Window)
	text("tokenizer", a.How.Tokenizer, b.How.Tokenizer)
	text("signature", a.How.Signature, b.How.Signature)
	if a.Level != b.Level {
		d = append(d, fmt.Sprintf("level: %v, %v", a.Level, b.Level))
	}
	if d == nil {
		return nil
	}
	return &Unlike{Differences: d}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Paired returns how much b lies above a (b minus a), document by document, with the interval and p-value of a paired
// bootstrap. Where both scores are of the same known seeds, seed is compared with seed, and both documents and seeds are
// drawn again; where they are not, the seeds' spreads of both sides add up and a note says so.
//
// It returns an *Unlike, which lists the differences, for scores made in different ways or over other documents.
func Paired(a, b Score) (Difference, error) {
	if err := unlike(a, b); err != nil {
		return Difference{}, err
	}
	if a.N == 0 {
		return Difference{}, fmt.Errorf("eval: Paired of scores of 0 documents; wanted at least one")
	}
	d := Difference{Metric: a.Metric, Level: a.Level, Unit: a.Unit, N: a.N, Seeds: 1, PerDoc: make([]float64, a.N)}
	var of []float64 // difference of the means, seed by seed
	pairs, how := pairSeeds(a.Seeds, b.Seeds)
	switch {
	case pairs != nil:
		d.Seeds = len(pairs)
		for _, p := range pairs {
			x, y := a.Seeds[p[0]], b.Seeds[p[1]]
			of = append(of, y.Mean-x.Mean)
			for i := range d.PerDoc {
				d.PerDoc[i] += (y.PerDoc[i] - x.PerDoc[i]) / float64(len(pairs))
			}
		}
	default:
		for i := range d.PerDoc {
			d.PerDoc[i] = b.PerDoc[i] - a.PerDoc[i]
		}
	}
	if how != "" {
		d.Notes = append(d.Notes, how)
	}
	m, err := a.corpus()
	if err != nil {
		return Difference{}, err
	}
	d.Mean = mean(d.PerDoc)
	e := estimate{centre: d.Mean, perDoc: d.PerDoc, lowest: -1, highest: 1}
	if m != nil {
		d.Mean = b.Mean - a.Mean
		span := m.highest() - m.least
		e.centre, e.terms, e.value, e.lowest, e.highest = d.Mean, append(terms(b.Seeds, 1), terms(a.Seeds, -1)...), m.value, -span, span
	}
	var in bounds
	if pairs != nil {
		in = e.interval(d.Level, of)
	} else {
		in = e.interval(d.Level, seedMeans(a.Seeds), seedMeans(b.Seeds))
	}
	d.Lo, d.Hi, d.P, d.Resamples = in.lo, in.hi, in.p, in.resamples
	binary := d.Seeds == 1 && pairs != nil
	square, centre := 0.0, mean(d.PerDoc)
	for i, v := range d.PerDoc {
		switch {
		case v == 0:
		case v > 0 != a.LowerBetter:
			d.Better++
		default:
			d.Worse++
		}
		square += (v - centre) * (v - centre)
		binary = binary && isBinary(a.PerDoc[i]) && isBinary(b.PerDoc[i])
	}
	d.Effect = math.NaN()
	if sd := math.Sqrt(square / float64(max(1, d.N-1))); sd > 0 {
		d.Effect = centre / sd
	}
	if m != nil {
		d.Test, d.TestP = "approximate randomisation", math.NaN()
		if pairs != nil {
			trials := min(maxResamples, max(minResamples, maxDraws/entries(append(terms(b.Seeds, 1), terms(a.Seeds, 1)...))))
			d.TestP = swapTest(a.Seeds, b.Seeds, pairs, m.value, trials)
		}
	} else if binary {
		d.Test, d.TestP = "McNemar, exact", mcNemar(d.Better, d.Worse)
	} else {
		d.Test, d.TestP = "permutation of signs", signTest(d.PerDoc)
	}
	return d, nil
}

func isBinary(v float64) bool { return v == 0 || v == 1 }

// pairSeeds returns which seed of a belongs to which of b, or nil when they do not pair, and a note when something is
// left to say.
func pairSeeds(a, b []Seed) (pairs [][2]int, note string) {
	if len(a) == 1 && len(b) == 1 {
		return [][2]int{{0, 0}}, ""
	}
	used := make([]bool, len(b))
	for i, x := range a {
		for j, y := range b {
			if x.Known && y.Known && x.Seed == y.Seed && !used[j] {
				used[j] = true
				pairs = append(pairs, [2]int{i, j})
				break
			}
		}
	}
	if len(pairs) == len(a) && len(pairs) == len(b) {
		return pairs, ""
	}
	return nil, fmt.Sprintf("the scores have different seeds (%s; %s), so seeds were drawn on each side by itself", seedList(a), seedList(b))
}

func seedList(seeds []Seed) string {
	var s []string
	for _, x := range seeds {
		if x.Known {
			s = append(s, fmt.Sprint(x.Seed))
		} else {
			s = append(s, "not named")
		}
	}
	return strings.Join(s, ", ")
}

// String returns the plain sentence: "+2.1 ROUGE-L, 95 % 0.9 to 3.4, 300 documents, 3 seeds".
func (d Difference) String() string {
	return fmt.Sprintf("%s %s, %s %s to %s, %s, %s", d.Text(d.Mean, true), d.Metric, percent(d.Level),
		d.Text(d.Lo, false), d.Text(d.Hi, false), count(d.N, "document"), count(d.Seeds, "seed"))
}

// Text returns a value of this difference as tables print it, with its sign where it is wanted.
func (d Difference) Text(v float64, sign bool) string { return inUnit(v, d.Unit, sign) }
