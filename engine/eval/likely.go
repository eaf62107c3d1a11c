package eval

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Option is a text whose log-likelihood was measured: an answer to choose from, or a document.
type Option struct {
	Text          string
	LogProb       float64 // summed over its tokens, in nats
	Unconditional float64 // the same without the question; 0 when it was not measured
	Tokens        int
}

// Norm says by what a log-likelihood is divided, or what is taken from it, before answers of different length are compared.
type Norm string

// The normalisations of lm-evaluation-harness: acc, acc_norm, acc_bytes and acc_mutual_info.
const (
	NormNone          Norm = ""              // the sum as it is
	NormLength        Norm = "length"        // over the number of characters
	NormBytes         Norm = "bytes"         // over the number of UTF-8 bytes
	NormUnconditional Norm = "unconditional" // minus the log-likelihood without the question
)

// of returns the number by which options are compared.
func (n Norm) of(o Option) float64 {
	switch n {
	case NormLength:
		return o.LogProb / float64(utf8.RuneCountInString(o.Text))
	case NormBytes:
		return o.LogProb / float64(len(o.Text))
	case NormUnconditional:
		return o.LogProb - o.Unconditional
	}
	return o.LogProb
}

// Choose returns the index of the option that comes out best, the first among equals. An empty option under a norm by
// length, an unmeasured unconditional and a log-likelihood that is no number are errors.
func (n Norm) Choose(options []Option) (int, error) {
	best := -1
	for i, o := range options {
		v := n.of(o)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, fmt.Errorf("option %q has a log-likelihood of %v over %d characters; wanted a finite number", o.Text, o.LogProb, len(o.Text))
		}
		if n == NormUnconditional && o.Unconditional == 0 {
			return 0, fmt.Errorf("option %q has no unconditional log-likelihood", o.Text)
		}
		if best < 0 || v > n.of(options[best]) {
			best = i
		}
	}
	if best < 0 {
		return 0, fmt.Errorf("no options to choose from")
	}
	return best, nil
}

// Choice is the accuracy of choosing the most likely of several answers.
func Choice(n Norm) Metric {
	name := "choice accuracy"
	if n != NormNone {
		name += " (" + string(n) + ")"
	}
	return Metric{Name: name, Normalise: "most likely answer", Binary: true, empty: never, row: func(r Row) (float64, error) {
		best, err := n.Choose(r.Options)
		if err != nil {
			return 0, err
		}
		for _, ref := range r.references() {
			if r.Options[best].Text == ref {
				return 1, nil
			}
		}
		return 0, nil
	}}
}

func choiceFamily(base string, o *options) (Metric, bool, error) {
	n := Norm(strings.TrimPrefix(base, "choice"))
	if base == "choiceaccuracy" {
		n = NormNone
		for _, norm := range []Norm{NormLength, NormBytes, NormUnconditional} {
			if o.take(string(norm)) {
				n = norm
			}
		}
	}
	switch n {
	case NormNone, NormLength, NormBytes, NormUnconditional:
		if strings.HasPrefix(base, "choice") {
			return Choice(n), true, nil
		}
	}
	return Metric{}, false, nil
}

// perText is a measure of how well texts are foreseen: a function of their summed log-likelihood and of their length in
// some unit. Row.Options[0] is the text.
func perText(name, unit string, length func(o Option) float64, value func(nats, length float64) float64, least float64) Metric {
	return Metric{
		Name: name, Normalise: "per " + unit, LowerBetter: true, least: least, most: math.Inf(1), unit: 1, empty: never,
		perToken: unit == "token of the model's tokenizer",
		tally: func(r Row) (Tally, error) {
			if len(r.Options) == 0 {
				return nil, fmt.Errorf("no log-likelihood was measured")
			}
			o := r.Options[0]
			if length(o) <= 0 {
				return nil, fmt.Errorf("the text has no %s", unit)
			}
			return dense(-o.LogProb, length(o)), nil
		},
		value: func(sum []float64) float64 { return value(sum[0], sum[1]) },
	}
}

func tokensOf(o Option) float64 { return float64(o.Tokens) }
func bytesOf(o Option) float64  { return float64(len(o.Text)) }

// wordsIn counts as lm-evaluation-harness does: one more than there are runs of white space.
func wordsIn(o Option) float64 {
	n, in := 1, false
	for _, r := range o.Text {
		space := pythonSpace(r)
		if space && !in {
			n++
		}
		in = space
	}
	return float64(n)
}

func expPer(nats, length float64) float64 { return math.Exp(nats / length) }

func likelihoodFamily(base string, _ *options) (Metric, bool, error) {
	switch base {
	case "perplexity":
		return perText("perplexity", "token of the model's tokenizer", tokensOf, expPer, 1), true, nil
	case "natspertoken":
		return perText("nats per token", "token of the model's tokenizer", tokensOf, func(nats, n float64) float64 { return nats / n }, 0), true, nil
	case "wordperplexity":
		return perText("word perplexity", "word between white space", wordsIn, expPer, 1), true, nil
	case "byteperplexity":
		return perText("byte perplexity", "UTF-8 byte", bytesOf, expPer, 1), true, nil
	case "bitsperbyte":
		return perText("bits per byte", "UTF-8 byte", bytesOf, func(nats, n float64) float64 { return nats / n / math.Ln2 }, 0), true, nil
	}
	return Metric{}, false, nil
}
