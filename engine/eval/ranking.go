package eval

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A ranking is a row whose prediction lists items from the best down, one a line, and whose references are the relevant
// items; "item<TAB>2" gives one a gain of 2 where others have 1.

const rankingRule = "items between newlines"

// ranking returns the gains of the items in the order of the prediction, and the gains of all relevant items from the
// greatest down. An item that is listed twice is an error.
func ranking(r Row) (got, ideal []float64, err error) {
	gain := map[string]float64{}
	for _, ref := range r.references() {
		item, g, graded := strings.Cut(ref, "\t")
		gain[item] = 1
		if graded {
			v, err := strconv.ParseFloat(g, 64)
			if err != nil || !(v >= 0) || math.IsInf(v, 0) {
				return nil, nil, fmt.Errorf("the gain %q of item %q is no number from 0 up", g, item)
			}
			gain[item] = v
		}
		if gain[item] > 0 {
			ideal = append(ideal, gain[item])
		}
	}
	if len(ideal) == 0 {
		return nil, nil, fmt.Errorf("no relevant item")
	}
	slices.Sort(ideal)
	slices.Reverse(ideal)
	seen := map[string]bool{}
	for item := range strings.SplitSeq(r.Cleaned, "\n") {
		if item == "" {
			continue
		}
		if seen[item] {
			return nil, nil, fmt.Errorf("item %q is listed twice", item)
		}
		seen[item] = true
		got = append(got, gain[item])
	}
	return got, ideal, nil
}

// RecallAt returns the share of the relevant items among the first k.
func RecallAt(k int) Metric {
	return Metric{Name: fmt.Sprintf("recall@%d", k), Normalise: rankingRule, empty: never, row: func(r Row) (float64, error) {
		got, ideal, err := ranking(r)
		if err != nil {
			return 0, err
		}
		hits := 0
		for _, g := range got[:min(k, len(got))] {
			hits += int(truth(g > 0))
		}
		return float64(hits) / float64(len(ideal)), nil
	}}
}

// NDCG returns the discounted cumulative gain of the first k items, divided by the greatest one possible: gain over
// log2(rank + 1). k 0 takes all items.
//
// Source: Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", with linear gains.
func NDCG(k int) Metric {
	name := "nDCG"
	if k > 0 {
		name = fmt.Sprintf("nDCG@%d", k)
	}
	dcg := func(gains []float64) float64 {
		sum := 0.0
		for i, g := range gains {
			if k == 0 || i < k {
				sum += g / math.Log2(float64(i+2))
			}
		}
		return sum
	}
	return Metric{Name: name, Normalise: rankingRule, empty: never, row: func(r Row) (float64, error) {
		got, ideal, err := ranking(r)
		if err != nil {
			return 0, err
		}
		return dcg(got) / dcg(ideal), nil
	}}
}

// MAP returns mean average precision: for each document the mean, over its relevant items, of the precision at their rank,
// 0 for those not listed.
func MAP() Metric {
	return Metric{Name: "MAP", Normalise: rankingRule, empty: never, row: func(r Row) (float64, error) {
		got, ideal, err := ranking(r)
		if err != nil {
			return 0, err
		}
		hits, sum := 0.0, 0.0
		for i, g := range got {
			if g > 0 {
				hits++
				sum += hits / float64(i+1)
			}
		}
		return sum / float64(len(ideal)), nil
	}}
}

func rankingFamily(base string, o *options) (Metric, bool, error) {
	name, at, has := strings.Cut(base, "@")
	k := 0
	if has {
		var err error
		if k, err = strconv.Atoi(at); err != nil || k < 1 {
			return Metric{}, false, fmt.Errorf("eval: %q wants a whole number after @, 1 or more", base)
		}
	}
	switch {
	case name == "recall" && has:
		return RecallAt(k), true, nil
	case name == "ndcg":
		return NDCG(k), true, nil
	case base == "map":
		return MAP(), true, nil
	}
	return Metric{}, false, nil
}
