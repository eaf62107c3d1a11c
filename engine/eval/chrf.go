package eval

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const chrfOrder = 6 // characters

// ChrF returns chrF (words 0) or chrF++ (words 2), equal to sacreBLEU's chrF2 and chrF2++: the F-measure, β = 2, of the
// average precision and recall of character n-grams up to 6 and word n-grams up to words. Each document counts with the
// reference that fits it best.
//
// Source: Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation"; Popović 2017 for chrF++.
func ChrF(words int, lowercase bool) Metric {
	segment := func(s string) []map[string]int {
		if lowercase {
			s = lower(s)
		}
		return chrfGrams(s, words)
	}
	var how []string
	if lowercase {
		how = append(how, "lower case")
	}
	return Metric{
		Name: named("chrF2"+strings.Repeat("+", words), how), Normalise: "sacreBLEU chrF: characters without white space",
		tally: func(r Row) (Tally, error) {
			grams := segment(r.Cleaned)
			var best []float64
			top := -1.0
			for _, ref := range r.references() {
				counts := chrfCounts(grams, segment(ref))
				if f := chrfScore(counts); f > top {
					top, best = f, counts
				}
			}
			return dense(best...), nil
		},
		value: chrfScore,
		empty: func(ref string) bool { return len(wordsOf(ref)) == 0 },
		sign: func(nrefs string) string {
			return fmt.Sprintf("nrefs:%s|case:%s|eff:yes|nc:%d|nw:%d|space:no|version:%s", nrefs, letterCase(lowercase), chrfOrder, words, sacreVersion)
		},
	}
}

// chrfGrams counts the character n-grams of orders 1 to 6 and the word n-grams of orders 1 to words.
func chrfGrams(s string, words int) []map[string]int {
	var out []map[string]int
	chars := []rune(strings.Join(wordsOf(s), ""))
	for n := 1; n <= chrfOrder; n++ {
		count := map[string]int{}
		for i := 0; i+n <= len(chars); i++ {
			count[string(chars[i:i+n])]++
		}
		out = append(out, count)
	}
	if words > 0 {
		list := chrfWords(s)
		for n := 1; n <= words; n++ {
			count, _ := ngrams(list, n)
			out = append(out, count)
		}
	}
	return out
}

// chrfWords splits one punctuation mark off each word, at its end or else at its beginning.
func chrfWords(s string) []string {
	const marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	var out []string
	for _, w := range wordsOf(s) {
		switch {
		case utf8.RuneCountInString(w) == 1:
			out = append(out, w)
		case strings.IndexByte(marks, w[len(w)-1]) >= 0:
			out = append(out, w[:len(w)-1], w[len(w)-1:])
		case strings.IndexByte(marks, w[0]) >= 0:
			out = append(out, w[:1], w[1:])
		default:
			out = append(out, w)
		}
	}
	return out
}

// chrfCounts returns for each order the n-grams of the prediction, of the reference and shared ones.
func chrfCounts(prediction, reference []map[string]int) []float64 {
	counts := make([]float64, 3*len(prediction))
	for i, p := range prediction {
		for g, c := range p {
			if len(reference[i]) > 0 { // an order that the reference has no n-gram of does not count
				counts[3*i] += float64(c)
			}
			counts[3*i+2] += float64(min(c, reference[i][g]))
		}
		for _, c := range reference[i] {
			counts[3*i+1] += float64(c)
		}
	}
	return counts
}

func chrfScore(sum []float64) float64 {
	precision, recall, orders := 0.0, 0.0, 0.0
	for i := 0; i+2 < len(sum); i += 3 {
		if sum[i] > 0 && sum[i+1] > 0 {
			precision += sum[i+2] / sum[i]
			recall += sum[i+2] / sum[i+1]
			orders++
		}
	}
	if precision+recall == 0 {
		return 0
	}
	precision, recall = precision/orders, recall/orders
	return 5 * precision * recall / (4*precision + recall)
}
