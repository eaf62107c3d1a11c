package eval

import (
	"fmt"
	"strings"
)

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
func Find(name string) (Metric, error) {
	key := strings.ToLower(name)
	for _, plus := range []string{"chrf2++", "chrf++"} {
		key = strings.Replace(key, plus, "chrfplusplus", 1)
	}
	key = strings.NewReplacer(" ", "", "-", "", "_", "", ",", "+", "(", "+", ")", "").Replace(key)
	parts := strings.Split(key, "+")
	o := &options{set: map[string]bool{}}
	for _, p := range parts[1:] {
		o.set[p] = true
	}
	for _, f := range families {
		m, ok, err := f(parts[0], o)
		if err != nil {
			return Metric{}, err
		}
		if ok {
			for p := range o.set {
				return Metric{}, fmt.Errorf("eval: metric %q: %s has no option %q", name, m.Name, p)
			}
			return m, nil
		}
	}
	return Metric{}, fmt.Errorf("eval: metric %q is not known; wanted exact, f1, rougeL, bleu, chrf, ter, accuracy, macro-f1, mcc, entity-f1, choice, perplexity or another one that the documentation of Find names", name)
}

// options are the words after "+" that nobody has asked for yet.
type options struct{ set map[string]bool }

// take tells whether one of the words is there.
func (o *options) take(words ...string) bool {
	found := false
	for _, w := range words {
		if o.set[w] {
			delete(o.set, w)
			found = true
		}
	}
	return found
}

// families make metrics out of a base name and options: ok is false for a name of another family.
var families = []func(base string, o *options) (m Metric, ok bool, err error){
	matchFamily, rougeFamily, translationFamily, classFamily, entityFamily, rankingFamily, choiceFamily, likelihoodFamily,
}

func matchFamily(base string, o *options) (Metric, bool, error) {
	switch base {
	case "exact", "exactmatch":
		switch {
		case o.take("normalised", "normalized"):
			return NormalisedMatch(), true, nil
		case o.take("superni"):
			return SuperNIMatch(), true, nil
		}
		return ExactMatch(), true, nil
	case "exactnormalised", "exactnormalized":
		return NormalisedMatch(), true, nil
	case "exactsuperni":
		return SuperNIMatch(), true, nil
	case "f1", "tokenf1":
		return TokenF1(), true, nil
	}
	return Metric{}, false, nil
}

func rougeFamily(base string, o *options) (Metric, bool, error) {
	for _, v := range variants {
		if v.key == base {
			return v.metric(o.take("unicode"), o.take("stem", "stemmed")), true, nil
		}
	}
	return Metric{}, false, nil
}

func translationFamily(base string, o *options) (Metric, bool, error) {
	switch base {
	case "bleu":
		b := Bleu{Lowercase: o.take("lower", "lowercase")}
		for _, t := range []string{"13a", "intl", "zh", "char", "none"} {
			if o.take(t) {
				b.Tokenizer = t
			}
		}
		for option, s := range map[string]string{"smoothnone": "none", "smoothfloor": "floor", "smoothaddk": "add-k", "smoothexp": "exp"} {
			if o.take(option) {
				b.Smooth = s
			}
		}
		for option := range o.set {
			var v float64
			if n, _ := fmt.Sscanf(option, "value%g", &v); n == 1 {
				b.SmoothValue = v
				o.take(option)
			}
		}
		m, err := NewBleu(b)
		return m, true, err
	case "chrf", "chrf2":
		return ChrF(0, o.take("lower", "lowercase")), true, nil
	case "chrfplusplus":
		return ChrF(2, o.take("lower", "lowercase")), true, nil
	case "ter":
		return TER(o.take("case", "casesensitive")), true, nil
	}
	return Metric{}, false, nil
}
