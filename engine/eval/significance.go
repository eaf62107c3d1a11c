package eval

import (
	"cmp"
	"math"
	"slices"

	"tunebook/engine/tensor"
)

// mcNemar returns the two-sided exact p-value of a split of discordant documents.
//
// Source: McNemar 1947; exact binomial form.
func mcNemar(better, worse int) float64 {
	n, k := better+worse, min(better, worse)
	sum := 0.0
	ln, _ := math.Lgamma(float64(n + 1))
	for i := 0; i <= k; i++ {
		li, _ := math.Lgamma(float64(i + 1))
		lr, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(ln - li - lr - float64(n)*math.Ln2)
	}
	return min(1, 2*sum)
}

// signTest returns the two-sided p-value of the mean when every difference may as well have had the other sign: over all
// sign patterns for up to 13 differences that are not zero, over 10,000 random ones beyond.
//
// Source: Fisher 1935, "The design of experiments", section 21; Dror et al. 2018 recommend it for NLP.
func signTest(values []float64) float64 {
	var v []float64
	observed := 0.0
	for _, x := range values {
		if x != 0 {
			v = append(v, x)
			observed += x
		}
	}
	limit := math.Abs(observed) * (1 - 1e-12) // equal sums may differ by rounding
	if len(v) <= 13 {
		hits := 0
		for pattern := range 1 << len(v) {
			if math.Abs(signed(v, func(i int) bool { return pattern>>i&1 == 1 })) >= limit {
				hits++
			}
		}
		return float64(hits) / float64(int(1)<<len(v))
	}
	rng := tensor.NewRNG(0, "eval/permutation")
	hits := 0
	for range maxResamples {
		var word uint64
		sum := signed(v, func(i int) bool {
			if i%64 == 0 {
				word = rng.Uint64()
			}
			return word>>(i%64)&1 == 1
		})
		if math.Abs(sum) >= limit {
			hits++
		}
	}
	return float64(hits+1) / float64(maxResamples+1)
}

func signed(v []float64, negative func(i int) bool) float64 {
	sum := 0.0
	for i, x := range v {
		if negative(i) {
			x = -x
		}
		sum += x
	}
	return sum
}

// Holm returns the p-values of several comparisons, adjusted so that the chance of one false finding among all of them
// stays below the level at which each is read. NaN stays NaN and is not counted.
//
// Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
func Holm(p []float64) []float64 {
	order, out := rising(p)
	worst := 0.0
	for rank, i := range order {
		worst = max(worst, min(1, p[i]*float64(len(order)-rank)))
		out[i] = worst
	}
	return out
}

// BenjaminiHochberg returns the p-values of several comparisons, adjusted so that of the findings read at a level no greater
// share than it is expected to be false, for independent or positively dependent comparisons. NaN stays NaN and is not
// counted.
//
// Source: Benjamini and Hochberg 1995, "Controlling the false discovery rate".
func BenjaminiHochberg(p []float64) []float64 {
	order, out := rising(p)
	best := 1.0
	for rank := len(order) - 1; rank >= 0; rank-- {
		i := order[rank]
		best = min(best, p[i]*float64(len(order))/float64(rank+1))
		out[i] = best
	}
	return out
}

// rising returns the places of the p-values that are numbers, from the smallest up, and a copy of all.
func rising(p []float64) (order []int, out []float64) {
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	return order, slices.Clone(p)
}
