package eval

import (
	"math"
	"slices"
)

// Labels are compared as they are; clean answers first. Where predictions hold labels that no reference has, they count as
// labels of their own in macro F1, with an F1 of zero, as scikit-learn counts them; the "references" forms average over
// the labels of the references only.

const labelRule = "labels as they are"

// labels returns the first reference and the prediction of each row, numbered: the references' labels come first, in
// alphabetical order, so that the numbers do not depend on the predictions.
func labels(rows []Row) (gold, said []int, known, all int) {
	var refs []string
	for _, r := range rows {
		if list := r.references(); len(list) > 0 {
			refs = append(refs, list[0])
		}
	}
	slices.Sort(refs)
	var n names
	for _, l := range refs {
		n.of(l)
	}
	known = len(n.list)
	for _, r := range rows {
		g, list := 0, r.references()
		if len(list) > 0 {
			g = n.of(list[0])
		}
		gold, said = append(gold, g), append(said, n.of(r.Cleaned))
	}
	return gold, said, known, len(n.list)
}

func correct(r Row) (float64, error) {
	refs := r.references()
	return truth(len(refs) > 0 && refs[0] == r.Cleaned), nil
}

// Accuracy is the share of documents whose label is the right one, the first reference.
func Accuracy() Metric {
	return Metric{Name: "accuracy", Normalise: labelRule, Binary: true, row: correct, empty: never}
}

func never(string) bool { return false }

// LabelF1 returns the F-measure of labels: macro is the mean over labels, micro that of the summed counts. Where
// onlyReferences is false, it is taken over every label that a reference or a prediction has, which is
// sklearn.metrics.f1_score with its default labels; where it is true, over those that a reference has.
func LabelF1(macro, onlyReferences bool) Metric {
	name := "micro F1"
	if macro {
		name = "macro F1"
	}
	var how []string
	if onlyReferences {
		how = append(how, "references")
	}
	// Counts: label k has true positives at 3k, false positives at 3k+1, false negatives at 3k+2.
	return Metric{
		Name: named(name, how), Normalise: labelRule, row: correct, empty: never,
		tallies: func(rows []Row) []Tally {
			gold, said, known, _ := labels(rows)
			out := make([]Tally, len(rows))
			for i := range rows {
				g, s := gold[i], said[i]
				switch {
				case g == s:
					out[i] = Tally{{3 * g, 1}}
				case onlyReferences && s >= known:
					out[i] = Tally{{3*g + 2, 1}}
				default:
					out[i] = Tally{{3*g + 2, 1}, {3*s + 1, 1}}
				}
			}
			return out
		},
		value: func(sum []float64) float64 {
			all, n := 0.0, 0.0
			var tp, fp, fn float64
			for k := 0; k < len(sum); k += 3 {
				one := [3]float64{}
				copy(one[:], sum[k:])
				if one == [3]float64{} {
					continue
				}
				all += 2 * one[0] / (2*one[0] + one[1] + one[2])
				n++
				tp, fp, fn = tp+one[0], fp+one[1], fn+one[2]
			}
			switch {
			case n == 0:
				return 0
			case macro:
				return all / n
			}
			return 2 * tp / (2*tp + fp + fn)
		},
	}
}

// Matthews is the correlation of labels and predictions, from -1 to 1, for two or more labels; 0 where one side has one
// label only. Equal to sklearn.metrics.matthews_corrcoef.
//
// Source: Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation coefficient".
func Matthews() Metric {
	// Counts: 0 documents, 1 right ones, 2+2k references of label k, 3+2k predictions of it.
	return Metric{
		Name: "Matthews correlation", Normalise: labelRule, row: correct, empty: never, least: -1,
		tallies: func(rows []Row) []Tally {
			gold, said, _, _ := labels(rows)
			out := make([]Tally, len(rows))
			for i := range rows {
				out[i] = Tally{{0, 1}, {1, truth(gold[i] == said[i])}, {2 + 2*gold[i], 1}, {3 + 2*said[i], 1}}
			}
			return out
		},
		value: func(sum []float64) float64 {
			if len(sum) < 2 {
				return 0
			}
			n, right := sum[0], sum[1]
			var both, gold, said float64
			for k := 2; k < len(sum); k += 2 {
				p := 0.0
				if k+1 < len(sum) {
					p = sum[k+1]
				}
				both += sum[k] * p
				gold += sum[k] * sum[k]
				said += p * p
			}
			spread := (n*n - gold) * (n*n - said)
			if spread <= 0 {
				return 0
			}
			return (right*n - both) / math.Sqrt(spread)
		},
	}
}

func classFamily(base string, o *options) (Metric, bool, error) {
	switch base {
	case "accuracy", "acc":
		return Accuracy(), true, nil
	case "macrof1":
		return LabelF1(true, o.take("references")), true, nil
	case "microf1":
		return LabelF1(false, o.take("references")), true, nil
	case "mcc", "matthews", "matthewscorrelation":
		return Matthews(), true, nil
	}
	return Metric{}, false, nil
}
