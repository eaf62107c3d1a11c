package eval

import (
	"fmt"
	"math"
	"strings"
)

// sacreVersion is the version of sacreBLEU whose numbers BLEU, chrF and TER here are equal to; it ends their signatures.
const sacreVersion = "2.6.0"

const bleuOrder = 4

// Bleu says how BLEU is computed. The zero value is sacreBLEU's default.
type Bleu struct {
	Lowercase   bool
	Tokenizer   string  // "13a" when empty, or "intl", "zh", "char", "none"
	Smooth      string  // "exp" when empty, or "floor", "add-k", "none"
	SmoothValue float64 // of floor and add-k; 0.1 and 1 when 0
}

// NewBleu returns corpus BLEU, equal to sacreBLEU's. It sums n-gram counts over all documents; PerDoc holds sentence BLEU with
// effective order. It returns an error for an unknown tokenizer or smoothing.
//
// Source: Papineni et al. 2002; Post 2018, arXiv:1804.08771; Chen and Cherry 2014 for the smoothing.
func NewBleu(b Bleu) (Metric, error) {
	if b.Tokenizer == "" {
		b.Tokenizer = "13a"
	}
	cut, ok := mtTokenizers[b.Tokenizer]
	if !ok {
		return Metric{}, fmt.Errorf("eval: BLEU's tokenizer %q is not known; wanted 13a, intl, zh, char or none", b.Tokenizer)
	}
	smooth := ""
	switch b.Smooth {
	case "":
		b.Smooth, smooth = "exp", "exp"
	case "exp", "none":
		smooth = b.Smooth
	case "floor", "add-k":
		if b.SmoothValue == 0 {
			b.SmoothValue = map[string]float64{"floor": 0.1, "add-k": 1}[b.Smooth]
		}
		smooth = fmt.Sprintf("%s[%.2f]", b.Smooth, b.SmoothValue)
	default:
		return Metric{}, fmt.Errorf("eval: BLEU's smoothing %q is not known; wanted exp, floor, add-k or none", b.Smooth)
	}
	segment := func(s string) []string {
		if b.Lowercase {
			s = lower(s)
		}
		return cut(strings.TrimRightFunc(s, pythonSpace))
	}
	var how []string
	if b.Lowercase {
		how = append(how, "lower case")
	}
	if b.Tokenizer != "13a" {
		how = append(how, b.Tokenizer)
	}
	switch b.Smooth {
	case "exp":
	case "none":
		how = append(how, "smooth none")
	case "floor", "add-k":
		how = append(how, "smooth "+b.Smooth)
		if b.SmoothValue != map[string]float64{"floor": 0.1, "add-k": 1}[b.Smooth] {
			how = append(how, fmt.Sprintf("value %v", b.SmoothValue))
		}
	}
	return Metric{
		Name: named("BLEU", how), Normalise: "sacreBLEU " + b.Tokenizer + " tokens",
		tally: func(r Row) (Tally, error) {
			var refs [][]string
			for _, ref := range r.references() {
				refs = append(refs, segment(ref))
			}
			return bleuTally(segment(r.Cleaned), refs), nil
		},
		value:    func(sum []float64) float64 { return b.score(sum, false) },
		docValue: func(sum []float64) float64 { return b.score(sum, true) },
		empty:    func(ref string) bool { return len(segment(ref)) == 0 },
		sign: func(nrefs string) string {
			return fmt.Sprintf("nrefs:%s|case:%s|eff:no|tok:%s|smooth:%s|version:%s", nrefs, letterCase(b.Lowercase), b.Tokenizer, smooth, sacreVersion)
		},
	}, nil
}

func letterCase(lowercase bool) string {
	if lowercase {
		return "lc"
	}
	return "mixed"
}

func named(name string, how []string) string {
	if how == nil {
		return name
	}
	return name + " (" + strings.Join(how, ", ") + ")"
}

// bleuTally counts: length of the prediction, closest length of a reference, matching n-grams of orders 1 to 4, all of them.
func bleuTally(prediction []string, refs [][]string) Tally {
	length, closest := len(prediction), -1
	for _, r := range refs {
		if d, best := abs(length-len(r)), abs(length-closest); closest < 0 || d < best || d == best && len(r) < closest {
			closest = len(r)
		}
	}
	counts := make([]float64, 2+2*bleuOrder)
	counts[0], counts[1] = float64(length), float64(max(closest, 0))
	for n := 1; n <= bleuOrder; n++ {
		most := map[string]int{}
		for _, r := range refs {
			grams, _ := ngrams(r, n)
			for g, c := range grams {
				most[g] = max(most[g], c)
			}
		}
		grams, all := ngrams(prediction, n)
		hits := 0
		for g, c := range grams {
			hits += min(c, most[g])
		}
		counts[1+n], counts[1+bleuOrder+n] = float64(hits), float64(all)
	}
	return dense(counts...)
}

func (b Bleu) score(sum []float64, effective bool) float64 {
	if len(sum) == 0 {
		return 0
	}
	length, closest, hits, all := sum[0], sum[1], sum[2:2+bleuOrder], sum[2+bleuOrder:]
	some := false
	for _, h := range hits {
		some = some || h > 0
	}
	if !some {
		return 0
	}
	penalty := 1.0
	if length < closest {
		penalty = math.Exp(1 - closest/length)
	}
	order, halved, logs := bleuOrder, 1.0, 0.0
	var precision [bleuOrder]float64
	for n := range bleuOrder {
		h, a := hits[n], all[n]
		if b.Smooth == "add-k" && n > 0 {
			h, a = h+b.SmoothValue, a+b.SmoothValue
		}
		if a == 0 {
			break
		}
		if effective {
			order = n + 1
		}
		switch {
		case h > 0:
			precision[n] = h / a
		case b.Smooth == "exp":
			halved *= 2
			precision[n] = 1 / (halved * a)
		case b.Smooth == "floor":
			precision[n] = b.SmoothValue / a
		}
	}
	for _, p := range precision[:order] {
		if p == 0 {
			return 0
		}
		logs += math.Log(p)
	}
	return penalty * math.Exp(logs/float64(order))
}

func abs(v int) int { return max(v, -v) }
