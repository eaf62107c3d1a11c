package data

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

// text returns n words drawn from a vocabulary of a thousand.
func text(r *tensor.RNG, n int) string {
	var w []string
	for range n {
		w = append(w, fmt.Sprint("w", r.Intn(1000)))
	}
	return strings.Join(w, " ")
}

// Rows are removed at and above the threshold and not below it, within and across sets, and every pair is shown.
func TestNearDuplicates(t *testing.T) {
	r := tensor.NewRNG(1, "near")
	a, b := &Set{Name: "a"}, &Set{Name: "b"}
	add := func(s *Set, prompt, answer string) {
		s.Rows = append(s.Rows, Example{Prompt: prompt, Answer: answer, Source: s.Name, Row: len(s.Rows)})
	}
	near := map[string]bool{} // rows of b that must go
	for i := range 200 {
		prompt := text(r, 60)
		add(a, prompt, "yes")
		w := strings.Fields(prompt)
		switch i % 4 {
		case 0: // one word changed: 52 of 57+5 runs are left, similarity 0.84
			w[30] = "changed"
			near[fmt.Sprint(len(b.Rows))] = true
		case 1: // case and punctuation only
			w[3] = strings.ToUpper(w[3]) + ","
			near[fmt.Sprint(len(b.Rows))] = true
		case 2: // five words changed, far apart: similarity 0.39
			for j := range 5 {
				w[5+12*j] = fmt.Sprint("other", j)
			}
		case 3:
			w = strings.Fields(text(r, 60))
		}
		add(b, strings.Join(w, " "), "yes")
	}
	add(a, a.Rows[7].Prompt, "yes")
	sets, rep, err := Dedup(DedupOptions{Near: 0.8}, a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []DedupAccount{{"a", 201, 1, 0}, {"b", 200, 0, 100}}
	if !reflect.DeepEqual(rep.Sets, want) || sets[0].Len() != 200 || sets[1].Len() != 100 {
		t.Fatalf("%+v", rep.Sets)
	}
	for _, p := range rep.Pairs[1:] {
		if !near[fmt.Sprint(p.Removed.Row)] || p.Kept.Set != "a" || p.Kept.Row != p.Removed.Row || p.Similarity < 0.8 {
			t.Errorf("%+v", p)
		}
	}
	if p := rep.Pairs[0]; p.Kept.Row != 7 || p.Removed.Index != 200 || p.Similarity != 1 || p.Kept.Text == "" {
		t.Errorf("%+v", p)
	}
	if st := sets[1].Steps; len(st) != 1 || st[0].From != 200 || st[0].To != 100 || !strings.Contains(st[0].Note, "100 of similarity 0.8") {
		t.Errorf("%+v", st)
	}
	again, rep2, _ := Dedup(DedupOptions{Near: 0.8}, a, b)
	if !reflect.DeepEqual(rep, rep2) || !reflect.DeepEqual(sets, again) {
		t.Error("the same sets give another result")
	}
	if _, rep, _ = Dedup(DedupOptions{Near: 0.8, Within: true}, a, b); rep.Sets[0].Exact != 1 || rep.Sets[1].Near != 0 {
		t.Errorf("within each set: %+v", rep.Sets)
	}
	if _, rep, _ = Dedup(DedupOptions{}, a, b); rep.Sets[0].Exact != 1 || rep.Sets[1].Exact != 0 || rep.Bands != 0 {
		t.Errorf("equal rows only: %+v", rep)
	}
}

// The bands keep their promise, and their number is the fewest that does.
func TestBands(t *testing.T) {
	for _, near := range []float64{0.5, 0.7, 0.8, 0.9, 1} {
		b, r := bandsFor(near, 128)
		p := 1 - math.Pow(1-math.Pow(near, float64(r)), float64(b))
		more := 1 - math.Pow(1-math.Pow(near, float64(r+1)), float64(128/(r+1)))
		if b*r > 128 || p < 0.99 || r < 128 && more >= 0.99 {
			t.Errorf("%g: %d bands of %d, probability %g", near, b, r, p)
		}
	}
	for _, o := range []DedupOptions{{Near: -0.1}, {Near: 1.1}, {Near: math.NaN()}, {Words: -1}, {Hashes: 4}} {
		if _, _, err := Dedup(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestLowerWords(t *testing.T) {
	for in, want := range map[string]string{
		"It's 3.5 km, ÄRGER!": "it s 3 5 km ärger",
		"你好 world":            "你 好 world",
		"कैसे हो":             "कैसे हो",
		"":                    "",
		"…":                   "",
	} {
		if got := strings.Join(lowerWords(in), " "); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// Training rows that meet a test row are shown and, when asked, removed; a shared instruction is no overlap where the
// input's place is known.
func TestDecontaminate(t *testing.T) {
	r := tensor.NewRNG(2, "overlap")
	train, test := &Set{Name: "train"}, &Set{Name: "test"}
	instruction := "Read the text below with care and then say in one single word what it is about.\n\n"
	add := func(s *Set, input string) {
		s.Rows = append(s.Rows, Example{Prompt: instruction + input, Answer: "yes", Input: len(instruction), Source: s.Name, Row: len(s.Rows)})
	}
	for range 20 {
		add(train, text(r, 30))
		add(test, text(r, 30))
	}
	add(train, test.Rows[4].Prompt[len(instruction):])
	add(train, "before "+strings.Join(strings.Fields(test.Rows[9].Prompt[len(instruction):])[3:16], ", ")+" after")
	add(train, "before "+strings.Join(strings.Fields(test.Rows[9].Prompt[len(instruction):])[3:15], ", ")+" after") // 12 words
	clean, reps, err := train.Decontaminate(13, test)
	if err != nil {
		t.Fatal(err)
	}
	rep := reps[0]
	if len(rep.Contacts) != 2 || clean.Len() != 21 || !reflect.DeepEqual(rep.Exact, []int{4}) || !reflect.DeepEqual(rep.Shared, []int{4, 9}) {
		t.Fatalf("%+v", rep)
	}
	if c := rep.Contacts[0]; !c.Prompt || c.Train.Row != 20 || c.Test.Row != 4 {
		t.Errorf("%+v", c)
	}
	if c := rep.Contacts[1]; c.Prompt || c.Train.Row != 21 || c.Test.Row != 9 || len(strings.Fields(c.Run)) != 13 {
		t.Errorf("%+v", c)
	}
	if rep := Overlap(clean, test, 13); len(rep.Contacts)+len(rep.Exact)+len(rep.Shared) != 0 {
		t.Errorf("after cleaning: %+v", rep)
	}
	m := blend(t, Recipe{Against: []*Set{test}, Parts: []Part{{Set: train, Passes: 1}}})
	if m.Len() != 23 || len(m.Manifest.Overlap) != 1 || len(m.Manifest.Overlap[0].Contacts) != 2 || m.Manifest.Sources[0].Removed != 0 {
		t.Errorf("reported only: %+v", m.Manifest)
	}
	m = blend(t, Recipe{Against: []*Set{test}, Clean: true, Dedup: &DedupOptions{}, Parts: []Part{{Set: train, Passes: 1}}})
	if s := m.Manifest.Sources[0]; m.Len() != 21 || s.Removed != 2 || s.Available != 21 || s.Unused != 0 || len(s.Steps) != 2 || s.Steps[0].Op != "dedup" || s.Steps[1].Op != "decontaminate" || m.Manifest.Dedup == nil {
		t.Errorf("removed: %+v", m.Manifest)
	}
	train.Rows[0].Input = 0
	if rep := Overlap(train, test, 13); len(rep.Contacts) != 2 {
		t.Errorf("the instruction of one side only: %d contacts", len(rep.Contacts))
	}
}
