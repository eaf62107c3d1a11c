package eval

import (
	"fmt"
	"slices"
	"strings"
)

// Metric turns predictions and their right answers into a number, from 0 to 1 unless it says otherwise.
//
// Most metrics are the mean of a number for each document. The others (BLEU, macro F1, perplexity) count something in each
// document and are a function of the sums.
type Metric struct {
	Name        string // as tables print it: "ROUGE-L", "ROUGE-L (unicode, stemmed)"
	Normalise   string // what is done to both texts before they are compared
	Stemmer     string // "" for none
	Binary      bool   // every document scores 0 or 1
	LowerBetter bool   // less is better

	least, most float64 // bounds of a document's number; most 0 stands for 1
	unit        float64 // what a 1 is printed as; 0 stands for 100
	perToken    bool    // the number depends on the model's tokenizer

	one   func(prediction, reference string) float64 // the best reference counts
	row   func(r Row) (float64, error)               // a document's number where one does not give it
	empty func(reference string) bool                // the normalisation leaves nothing of this reference

	tally    func(r Row) (Tally, error) // what a document counts; nil for a mean over documents
	tallies  func(rows []Row) []Tally   // the same where what is counted depends on all rows
	value    func(sum []float64) float64
	docValue func(sum []float64) float64 // of one document's counts; value when nil

	sign func(nrefs string) string // the signature that the field quotes beside the number
}

// Of returns the best score of the prediction over the references, 0 when there is none.
func (m Metric) Of(prediction string, references []string) float64 {
	v, err := m.document(Row{Cleaned: prediction, Refs: references}, nil)
	if err != nil {
		return 0
	}
	return v
}

// document returns the number of one document, of which t is the tally when it is known.
func (m Metric) document(r Row, t Tally) (float64, error) {
	switch {
	case m.row != nil:
		return m.row(r)
	case m.one != nil:
		best := 0.0
		for _, ref := range r.references() {
			best = max(best, m.one(r.Cleaned, ref))
		}
		return best, nil
	case m.tally == nil:
		return 0, fmt.Errorf("%s has no number for a single document", m.Name)
	case len(r.references()) == 0:
		return 0, nil
	}
	if t == nil {
		var err error
		if t, err = m.tally(r); err != nil {
			return 0, err
		}
	}
	value := m.docValue
	if value == nil {
		value = m.value
	}
	return value(total([]Tally{t}, sizeOf([]Tally{t}))), nil
}

// highest returns the greatest number that a document can have.
func (m Metric) highest() float64 {
	if m.most == 0 {
		return 1
	}
	return m.most
}

// NewMetric returns a metric of your own: score gets a prediction and one reference and returns a number from 0 to 1;
// with several references the best counts. Normalise says in words what score does to the texts; it is part of every
// score and decides which scores may be compared.
func NewMetric(name, normalise string, score func(prediction, reference string) float64) Metric {
	return Metric{Name: name, Normalise: normalise, one: score, empty: func(string) bool { return false }}
}

const (
	asciiRule   = "rouge_score 0.1.2: lower case, words of a-z and 0-9"
	unicodeRule = "unicode: NFKC, lower case, words of letters and digits, one character a word in scripts without spaces"
	squadRule   = "SQuAD: lower case, without punctuation and articles"
	superNIRule = "Super-NI: lower case, without punctuation"
)

// variant is one ROUGE measure with the key that Find reads.
type variant struct {
	key, name string
	of        func(prediction, reference string, cut words, stem bool) overlap
}

var variants = []variant{
	{"rouge1", "ROUGE-1", rougeN(1)},
	{"rouge2", "ROUGE-2", rougeN(2)},
	{"rougel", "ROUGE-L", rougeL},
	{"rougelsum", "ROUGE-Lsum", rougeLsum},
}

func (v variant) metric(unicode, stem bool) Metric {
	m := Metric{Name: v.name, Normalise: asciiRule}
	cut := asciiWords
	var how []string
	if unicode {
		m.Normalise, cut = unicodeRule, unicodeWords
		how = append(how, "unicode")
	}
	if stem {
		m.Stemmer = "Porter with the NLTK extensions"
		how = append(how, "stemmed")
	}
	if how != nil {
		m.Name += " (" + strings.Join(how, ", ") + ")"
	}
	m.one = func(prediction, reference string) float64 { return v.of(prediction, reference, cut, stem).F }
	m.empty = func(reference string) bool { return len(cut(reference, false)) == 0 }
	return m
}

// RougeL is the F-measure of the longest common subsequence of words, equal to rougeL of rouge_score 0.1.2 without
// its stemmer. Other forms are found by name: see Find.
func RougeL() Metric { return variants[2].metric(false, false) }

// ExactMatch is 1 where the prediction is a reference, byte for byte.
func ExactMatch() Metric {
	return Metric{
		Name: "exact match", Normalise: "none", Binary: true,
		one:   func(p, r string) float64 { return truth(p == r) },
		empty: func(string) bool { return false },
	}
}

// NormalisedMatch is 1 where the prediction is a reference after SQuAD's normalisation.
func NormalisedMatch() Metric {
	return Metric{
		Name: "exact match (normalised)", Normalise: squadRule, Binary: true,
		one:   func(p, r string) float64 { return truth(slices.Equal(squad(p, true), squad(r, true))) },
		empty: func(r string) bool { return len(squad(r, true)) == 0 },
	}
}

// SuperNIMatch is 1 where the prediction is a reference after the normalisation of the Super-NaturalInstructions script, which
// is SQuAD's but keeps the articles.
//
// Source: Wang et al. 2022, arXiv:2204.07705.
func SuperNIMatch() Metric {
	return Metric{
		Name: "exact match (Super-NI)", Normalise: superNIRule, Binary: true,
		one:   func(p, r string) float64 { return truth(slices.Equal(squad(p, false), squad(r, false))) },
		empty: func(r string) bool { return len(squad(r, false)) == 0 },
	}
}

// TokenF1 is the F-measure of the words that prediction and reference share after SQuAD's normalisation. Where one of
// them has no word left it is 1 if neither has, else 0, as in SQuAD 2.0.
func TokenF1() Metric {
	return Metric{
		Name: "token F1", Normalise: squadRule,
		one: func(p, r string) float64 {
			a, b := squad(p, true), squad(r, true)
			if len(a) == 0 || len(b) == 0 {
				return truth(len(a) == len(b))
			}
			count, hits := make(map[string]int), 0
			for _, w := range a {
				count[w]++
			}
			for _, w := range b {
				if count[w] > 0 {
					count[w]--
					hits++
				}
			}
			return fMeasure(hits, len(a), len(b)).F
		},
		empty: func(r string) bool { return len(squad(r, true)) == 0 },
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
