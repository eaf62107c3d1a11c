package eval

import "strings"

// overlap is what a ROUGE variant measures for one prediction and one reference.
type overlap struct{ Precision, Recall, F float64 }

func fMeasure(hits, predicted, wanted int) overlap {
	if hits == 0 {
		return overlap{}
	}
	p, r := float64(hits)/float64(predicted), float64(hits)/float64(wanted)
	return overlap{p, r, 2 * p * r / (p + r)}
}

// words is a tokeniser of a metric.
type words func(text string, stem bool) []string

// rougeN counts the n-grams that prediction and reference share, each at most as often as in the other.
//
// Source: Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 2.
func rougeN(n int) func(prediction, reference string, cut words, stem bool) overlap {
	return func(prediction, reference string, cut words, stem bool) overlap {
		p, pn := ngrams(cut(prediction, stem), n)
		r, rn := ngrams(cut(reference, stem), n)
		hits := 0
		for gram, count := range r {
			hits += min(count, p[gram])
		}
		return fMeasure(hits, pn, rn)
	}
}

// ngrams counts the n-grams of a list of words, which hold no blank, and returns their number.
func ngrams(w []string, n int) (map[string]int, int) {
	count := make(map[string]int)
	for i := 0; i+n <= len(w); i++ {
		count[strings.Join(w[i:i+n], " ")]++
	}
	return count, max(0, len(w)-n+1)
}

// rougeL measures the longest common subsequence of the whole texts.
func rougeL(prediction, reference string, cut words, stem bool) overlap {
	p, r := cut(prediction, stem), cut(reference, stem)
	return fMeasure(lcsTable(r, p)[len(r)][len(p)], len(p), len(r))
}

// rougeLsum measures the union of the longest common subsequences of each reference line with all lines of the
// prediction. Lines are cut at newlines only; a word counts at most as often as both texts hold it.
func rougeLsum(prediction, reference string, cut words, stem bool) overlap {
	p, r := lines(prediction, cut, stem), lines(reference, cut, stem)
	left := [2]map[string]int{{}, {}}
	total := [2]int{}
	for side, text := range [2][][]string{p, r} {
		for _, line := range text {
			total[side] += len(line)
			for _, w := range line {
				left[side][w]++
			}
		}
	}
	hits := 0
	for _, line := range r {
		union := make([]bool, len(line))
		for _, other := range p {
			markLCS(line, other, union)
		}
		for i, in := range union {
			if w := line[i]; in && left[0][w] > 0 && left[1][w] > 0 {
				hits++
				left[0][w]--
				left[1][w]--
			}
		}
	}
	return fMeasure(hits, total[0], total[1])
}

func lines(text string, cut words, stem bool) [][]string {
	var out [][]string
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			out = append(out, cut(line, stem))
		}
	}
	return out
}

// lcsTable returns t with t[i][j] = length of the longest common subsequence of a[:i] and b[:j].
func lcsTable(a, b []string) [][]int {
	cells := make([]int, (len(a)+1)*(len(b)+1))
	t := make([][]int, len(a)+1)
	for i := range t {
		t[i] = cells[i*(len(b)+1) : (i+1)*(len(b)+1)]
	}
	for i, x := range a {
		for j, y := range b {
			if x == y {
				t[i+1][j+1] = t[i][j] + 1
			} else {
				t[i+1][j+1] = max(t[i][j+1], t[i+1][j])
			}
		}
	}
	return t
}

// markLCS marks the words of a that belong to one longest common subsequence with b. Which one, where there are
// several, is rouge_score's choice: walking back from the ends, drop a word of b only where that keeps more.
func markLCS(a, b []string, in []bool) {
	t := lcsTable(a, b)
	for i, j := len(a), len(b); i > 0 && j > 0; {
		switch {
		case a[i-1] == b[j-1]:
			i, j = i-1, j-1
			in[i] = true
		case t[i][j-1] > t[i-1][j]:
			j--
		default:
			i--
		}
	}
}
