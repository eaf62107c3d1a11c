package data

import (
	"fmt"
	"strings"
)

// DefaultNGram is the length, in words, of a run that counts as overlap where nothing else is said. Source: Brown et al.
// 2020, arXiv:2005.14165, appendix C.
const DefaultNGram = 13

// OverlapReport says how much of a test set is met in training.
type OverlapReport struct {
	Train     string    `json:"train"`
	Test      string    `json:"test"`
	TrainRows int       `json:"train_rows"`
	TestRows  int       `json:"test_rows"`
	N         int       `json:"n"`        // length of the runs, in words
	Exact     []int     `json:"exact"`    // test rows (index) whose prompt is a training prompt
	Shared    []int     `json:"shared"`   // test rows with a run of N words of prompt and answer that some training row has
	Contacts  []Contact `json:"contacts"` // every training row that meets a test row
}

// Contact is a training row that meets a test row: the first in the test's order.
type Contact struct {
	Train  Ref    `json:"train"`
	Test   Ref    `json:"test"`
	Prompt bool   `json:"prompt"`        // the prompts are equal
	Run    string `json:"run,omitempty"` // otherwise the first run that both have
}

// Overlap compares a training set with a test set: equal prompts, and equal runs of n words (letters and digits, case
// ignored) of input and answer together. Rows with fewer than n words can only be met exactly. The instruction that a
// task's rows share is no overlap where a row says where its input begins.
func Overlap(train, test *Set, n int) OverlapReport {
	return newTestIndex(test, n).meet(train)
}

// testIndex finds rows of a test set by prompt and by run.
type testIndex struct {
	test    *Set
	n       int
	prompts map[string][]int
	runs    map[string][]int
	hashes  map[uint64]bool // of the runs: most training runs are known not to be there by theirs
}

func newTestIndex(test *Set, n int) *testIndex {
	x := &testIndex{test: test, n: n, prompts: map[string][]int{}, runs: map[string][]int{}, hashes: map[uint64]bool{}}
	for i := range test.Rows {
		e := &test.Rows[i]
		x.prompts[strings.TrimSpace(e.Asked())] = append(x.prompts[strings.TrimSpace(e.Asked())], i)
		w := runWords(e)
		for j, h := range rollHashes(w, n) {
			run := strings.Join(w[j:j+n], " ")
			x.hashes[h] = true
			if at := x.runs[run]; len(at) == 0 || at[len(at)-1] != i {
				x.runs[run] = append(at, i)
			}
		}
	}
	return x
}

func (x *testIndex) meet(train *Set) OverlapReport {
	rep := OverlapReport{Train: train.Name, Test: x.test.Name, TrainRows: len(train.Rows), TestRows: len(x.test.Rows), N: x.n}
	exact, shared := make([]bool, len(x.test.Rows)), make([]bool, len(x.test.Rows))
	for i := range train.Rows {
		e := &train.Rows[i]
		first, run := -1, ""
		for _, t := range x.prompts[strings.TrimSpace(e.Asked())] {
			exact[t] = true
			if first < 0 {
				first = t
			}
		}
		prompt := first >= 0
		w := runWords(e)
		for j, h := range rollHashes(w, x.n) {
			if !x.hashes[h] {
				continue
			}
			r := strings.Join(w[j:j+x.n], " ")
			for _, t := range x.runs[r] {
				shared[t] = true
				if !prompt && (first < 0 || t < first) {
					first, run = t, r
				}
			}
		}
		if first >= 0 {
			rep.Contacts = append(rep.Contacts, Contact{Train: refTo(train, i), Test: refTo(x.test, first), Prompt: prompt, Run: run})
		}
	}
	for t := range x.test.Rows {
		if exact[t] {
			rep.Exact = append(rep.Exact, t)
		}
		if shared[t] {
			rep.Shared = append(rep.Shared, t)
		}
	}
	return rep
}

// Decontaminate returns the set without the rows that meet a test set as Overlap says, and a report for each test.
func (s *Set) Decontaminate(n int, tests ...*Set) (*Set, []OverlapReport, error) {
	if n < 1 {
		return nil, nil, fmt.Errorf("data.Decontaminate: %s: runs of %d words; wanted at least 1 (usual: %d)", s.Name, n, DefaultNGram)
	}
	if len(tests) == 0 {
		return nil, nil, fmt.Errorf("data.Decontaminate: %s: no test sets; wanted at least one", s.Name)
	}
	if err := s.once("Decontaminate"); err != nil {
		return nil, nil, err
	}
	var reps []OverlapReport
	out := make([]bool, len(s.Rows))
	var names []string
	for _, t := range tests {
		rep := Overlap(s, t, n)
		for _, c := range rep.Contacts {
			out[c.Train.Index] = true
		}
		reps = append(reps, rep)
		names = append(names, t.Name)
	}
	var rows []Example
	for i := range s.Rows {
		if !out[i] {
			rows = append(rows, s.Rows[i])
		}
	}
	return s.without(rows, "decontaminate", fmt.Sprintf("against %s, runs of %d words", strings.Join(names, ", "), n)), reps, nil
}

// runWords returns the words whose runs count: those of the input and the answer.
func runWords(e *Example) []string {
	return lowerWords(e.Prompt[min(e.Input, len(e.Prompt)):] + "\n" + e.Answer)
}
