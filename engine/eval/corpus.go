package eval

import (
	"fmt"
	"math"

	"tunebook/engine/tensor"
)

// Count is one number that a document adds to the counts of a corpus metric.
type Count struct {
	At  int     // which count
	Add float64 // how much
}

// Tally is what one document adds to the counts of a metric that is no mean over documents: BLEU, macro F1, perplexity.
// The metric's value over any choice of documents is a function of the sums of their tallies.
type Tally []Count

// dense returns the tally of counts 0 to n-1.
func dense(counts ...float64) Tally {
	t := make(Tally, len(counts))
	for i, c := range counts {
		t[i] = Count{i, c}
	}
	return t
}

// sizeOf returns the number of counts of the tallies.
func sizeOf(docs []Tally) int {
	size := 0
	for _, t := range docs {
		for _, c := range t {
			size = max(size, c.At+1)
		}
	}
	return size
}

// total returns the sums of the tallies.
func total(docs []Tally, size int) []float64 {
	sum := make([]float64, size)
	for _, t := range docs {
		for _, c := range t {
			sum[c.At] += c.Add
		}
	}
	return sum
}

// term is one run's part in a linear combination of corpus values over the same documents.
type term struct {
	docs   []Tally
	size   int
	weight float64
}

// terms returns the runs of seeds, each with the same weight, that add up to sign.
func terms(seeds []Seed, sign float64) []term {
	var out []term
	for _, s := range seeds {
		out = append(out, term{s.Counts, sizeOf(s.Counts), sign / float64(len(seeds))})
	}
	return out
}

// entries returns the number of counts that one pass over all documents adds up.
func entries(list []term) int {
	n := 0
	for _, t := range list {
		for _, d := range t.docs {
			n += len(d)
		}
	}
	return max(n, 1)
}

// resample adds to each of sums the stretched deviation from centre of the combination over as many documents as there
// are, drawn with replacement, the same ones for every term.
func resample(sums []float64, list []term, value func([]float64) float64, centre, stretch float64) {
	rng := tensor.NewRNG(0, "eval/bootstrap/documents")
	n := len(list[0].docs)
	drawn := make([]int, n)
	for i := range sums {
		for j := range drawn {
			drawn[j] = rng.Intn(n)
		}
		v := 0.0
		for _, t := range list {
			counts := make([]float64, t.size)
			for _, d := range drawn {
				for _, c := range t.docs[d] {
					counts[c.At] += c.Add
				}
			}
			v += t.weight * value(counts)
		}
		sums[i] += stretch * (v - centre)
	}
}

// swapTest returns the two-sided p-value of the difference of two runs, pair by pair, when for every document it may as
// well have been the other run that gave the answer: approximate randomisation.
//
// Source: Riezler and Maxwell 2005, "On some pitfalls in automatic evaluation and significance testing for MT", section 4.
func swapTest(a, b []Seed, pairs [][2]int, value func([]float64) float64, trials int) float64 {
	rng := tensor.NewRNG(0, "eval/randomisation")
	n := len(a[0].Counts)
	difference := func(swap []bool) float64 {
		d := 0.0
		for _, p := range pairs {
			x, y := a[p[0]].Counts, b[p[1]].Counts
			size := max(sizeOf(x), sizeOf(y))
			left, right := make([]float64, size), make([]float64, size)
			for i := range n {
				l, r := left, right
				if swap != nil && swap[i] {
					l, r = right, left
				}
				for _, c := range x[i] {
					l[c.At] += c.Add
				}
				for _, c := range y[i] {
					r[c.At] += c.Add
				}
			}
			d += value(right) - value(left)
		}
		return math.Abs(d)
	}
	limit := difference(nil) * (1 - 1e-12)
	swap, hits := make([]bool, n), 0
	for range trials {
		for i := range swap {
			swap[i] = rng.Uint64()&1 == 1
		}
		if difference(swap) >= limit {
			hits++
		}
	}
	return float64(hits+1) / float64(trials+1)
}

// checkTallies returns an error for tallies that do not add up to a finite value.
func checkTallies(m Metric, docs []Tally) error {
	for i, t := range docs {
		for _, c := range t {
			if math.IsNaN(c.Add) || math.IsInf(c.Add, 0) || c.At < 0 {
				return fmt.Errorf("eval: %s: row %d counts %v; wanted finite numbers", m.Name, i, c.Add)
			}
		}
	}
	return nil
}

// names numbers distinct texts in their order.
type names struct {
	at   map[string]int
	list []string
}

func (n *names) of(s string) int {
	i, ok := n.at[s]
	if !ok {
		if n.at == nil {
			n.at = map[string]int{}
		}
		i = len(n.list)
		n.at[s] = i
		n.list = append(n.list, s)
	}
	return i
}
