package data

import (
	"strings"
	"unicode"
)

// OverlapReport says how much of a test set is met in training.
type OverlapReport struct {
	Train, Test string // names
	TrainRows   int
	TestRows    int
	Exact       []int // test rows (index) whose prompt is a training prompt
	N           int   // length of the n-grams
	Shared      []int // test rows with a run of N words of prompt and answer that some training row has
}

// Overlap compares a training set with a test set: equal prompts, and equal runs of n words (letters and digits, case
// ignored) of prompt and answer together. Rows with fewer than n words can only be met exactly.
func Overlap(train, test *Set, n int) OverlapReport {
	rep := OverlapReport{Train: train.Name, Test: test.Name, TrainRows: len(train.Rows), TestRows: len(test.Rows), N: n}
	prompts, grams := map[string]bool{}, map[string]bool{}
	for i := range train.Rows {
		prompts[train.Rows[i].Prompt] = true
		eachGram(&train.Rows[i], n, func(g string) bool { grams[g] = true; return true })
	}
	for i := range test.Rows {
		if prompts[test.Rows[i].Prompt] {
			rep.Exact = append(rep.Exact, i)
		}
		eachGram(&test.Rows[i], n, func(g string) bool {
			if grams[g] {
				rep.Shared = append(rep.Shared, i)
				return false
			}
			return true
		})
	}
	return rep
}

func eachGram(e *Example, n int, f func(string) bool) {
	w := strings.FieldsFunc(strings.ToLower(e.Prompt+" "+e.Answer), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i := 0; i+n <= len(w); i++ {
		if !f(strings.Join(w[i:i+n], " ")) {
			return
		}
	}
}
