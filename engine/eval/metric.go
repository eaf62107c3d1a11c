package eval

import (
	"fmt"
	"slices"
	"strings"
)

// Metric turns one prediction and the right answers of its document into a number from 0 to 1.
type Metric struct {
	Name      string // as tables print it: "ROUGE-L", "ROUGE-L (unicode, stemmed)"
	Normalise string // what is done to both texts before they are compared
	Stemmer   string // "" for none
	Binary    bool   // every document scores 0 or 1

	one   func(prediction, reference string) float64
	empty func(reference string) bool // the normalisation leaves nothing of this reference
}

// Of returns the best score of the prediction over the references, 0 when there is none.
func (m Metric) Of(prediction string, references []string) float64 {
	best := 0.0
	for _, r := range references {
		best = max(best, m.one(prediction, r))
	}
	return best
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
		one:   func(p, r string) float64 { return truth(slices.Equal(squad(p), squad(r))) },
		empty: func(r string) bool { return len(squad(r)) == 0 },
	}
}

// TokenF1 is the F-measure of the words that prediction and reference share after SQuAD's normalisation. Where one of
// them has no word left it is 1 if neither has, else 0, as in SQuAD 2.0.
func TokenF1() Metric {
	return Metric{
		Name: "token F1", Normalise: squadRule,
		one: func(p, r string) float64 {
			a, b := squad(p), squad(r)
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
		empty: func(r string) bool { return len(squad(r)) == 0 },
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Find returns the metric of that name: exact, exact-normalised, f1, rouge1, rouge2, rougeL, rougeLsum. The last four
// take "+stem" (Porter) and "+unicode" (words of every script): "rougeL+stem". Case, blanks, "-" and "_" do not matter,
// and the name that a metric prints is understood as well.
func Find(name string) (Metric, error) {
	key := strings.NewReplacer(" ", "", "-", "", "_", "", ",", "+", "(", "+", ")", "").Replace(strings.ToLower(name))
	parts := strings.Split(key, "+")
	stem, unicode, normalised, unknown := false, false, false, ""
	for _, p := range parts[1:] {
		switch p {
		case "stem", "stemmed":
			stem = true
		case "unicode":
			unicode = true
		case "normalised", "normalized":
			normalised = true
		default:
			unknown = p
		}
	}
	base := parts[0]
	plain := !stem && !unicode && unknown == ""
	switch {
	case plain && !normalised && (base == "exact" || base == "exactmatch"):
		return ExactMatch(), nil
	case plain && (base == "exactnormalised" || base == "exactnormalized" || normalised && (base == "exact" || base == "exactmatch")):
		return NormalisedMatch(), nil
	case plain && !normalised && (base == "f1" || base == "tokenf1"):
		return TokenF1(), nil
	}
	for _, v := range variants {
		if v.key == base && unknown == "" && !normalised {
			return v.metric(unicode, stem), nil
		}
	}
	return Metric{}, fmt.Errorf("eval: metric %q is not known; wanted exact, exact-normalised, f1, rouge1, rouge2, rougeL or rougeLsum, the rouge ones with +stem or +unicode", name)
}
