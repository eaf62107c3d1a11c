package data

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/token"
)

// rows makes a set whose answers grow longer with the row, as a file sorted by length has them.
func rowsOf(name string, n int) *Set {
	s := &Set{Name: name}
	for i := range n {
		s.Rows = append(s.Rows, Example{Prompt: fmt.Sprint(name, " ", i), Answer: strings.Repeat("x", i+1), Task: "t", Source: name, Row: i})
	}
	return s
}

func TestTakeIsNestedAndUnbiased(t *testing.T) {
	s := rowsOf("sorted", 5000)
	big, err := s.Take(0, 500)
	if err != nil {
		t.Fatal(err)
	}
	small, err := s.Take(0, 250)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(small.Rows, big.Rows[:250]) {
		t.Error("Take(250) is not the beginning of Take(500)")
	}
	mean := 0.0
	for _, r := range small.Rows {
		mean += float64(len(r.Answer)) / 250
	}
	if se := 5000 / math.Sqrt(12*250); math.Abs(mean-2500.5) > 4*se {
		t.Errorf("mean length %.0f of a sorted file; wanted 2500 ± %.0f", mean, 4*se)
	}
	other, _ := s.Take(42, 250)
	if reflect.DeepEqual(small.Rows, other.Rows) {
		t.Error("seeds 0 and 42 take the same rows")
	}
	one, err := s.Take(0, 1)
	if err != nil || one.Len() != 1 || one.Available != 5000 {
		t.Errorf("Take(1): %v %v", one, err)
	}
	if all, err := s.TakeFraction(0, 1); err != nil || all.Len() != 5000 {
		t.Errorf("TakeFraction(1.0): %v", err)
	}
	for _, f := range []float64{2, 0, -1, math.NaN()} {
		if _, err := s.TakeFraction(0, f); err == nil {
			t.Errorf("TakeFraction(%g) was taken", f)
		}
	}
	if _, err := s.Take(0, 5001); err == nil || !strings.Contains(err.Error(), "5001") || !strings.Contains(err.Error(), "5000") {
		t.Errorf("too many: %v", err)
	}
}

func TestSplitKeepsPromptsApart(t *testing.T) {
	s := rowsOf("s", 100)
	for i := range 50 {
		s.Rows[i].Prompt = fmt.Sprint("again ", i/5)
	}
	train, test, err := s.Split(3, 30)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len()+test.Len() != 100 || test.Len() < 30 || test.Len() > 34 {
		t.Fatalf("%d and %d rows", train.Len(), test.Len())
	}
	if r := Overlap(train, test, 13); len(r.Exact) != 0 {
		t.Fatalf("%d prompts are on both sides", len(r.Exact))
	}
	if r := Overlap(s, test, 13); len(r.Exact) != test.Len() {
		t.Fatalf("%d of %d prompts are found in the whole", len(r.Exact), test.Len())
	}
}

func TestOverlapFindsRuns(t *testing.T) {
	train := &Set{Rows: []Example{{Prompt: "One two three four five.", Answer: "six"}}}
	test := &Set{Rows: []Example{{Prompt: "zero, TWO three Four", Answer: "five six seven"}, {Prompt: "two three", Answer: "four"}}}
	if r := Overlap(train, test, 5); !slices.Equal(r.Shared, []int{0}) {
		t.Fatalf("%+v", r)
	}
}

func TestMixAccountsForEveryRow(t *testing.T) {
	a, _ := rowsOf("a", 40).Take(1, 10)
	b := rowsOf("b", 7)
	b.Rows[2].Wrong = true
	b.Rows = append(b.Rows, b.Rows[0])
	m, err := Mix(5, a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []SourceAccount{
		{Name: "a", Available: 40, Drawn: 10, Most: 1, Unused: 30, Plan: "passes 1", Planned: 10, Realised: 10, Share: 10. / 18, Passes: 1, Weight: 1,
			Fingerprint: a.Fingerprint(), Steps: []Step{{"take", 40, 10, "seed 1, without replacement"}}},
		{Name: "b", Available: 7, Drawn: 8, Repeated: 1, Most: 2, Wrong: 1, Plan: "passes 1", Planned: 8, Realised: 8, Share: 8. / 18, Passes: 1, Weight: 1,
			Fingerprint: b.Fingerprint()},
	}
	if !reflect.DeepEqual(m.Manifest.Sources, want) || m.Len() != 18 || m.Manifest.Planned != 18 || m.Manifest.Fingerprint != m.Fingerprint() {
		t.Errorf("%+v", m.Manifest)
	}
	swapped, _ := Mix(5, b, a)
	if !reflect.DeepEqual(m.Rows, swapped.Rows) {
		t.Error("the order of the sources changes the order of the rows")
	}
	other, _ := Mix(6, a, b)
	if reflect.DeepEqual(m.Rows, other.Rows) {
		t.Error("another seed gives the same order")
	}
	more, _ := Mix(5, a, b, rowsOf("c", 9))
	var without []Example
	for _, r := range more.Rows {
		if r.Source != "c" {
			without = append(without, r)
		}
	}
	if !reflect.DeepEqual(without, m.Rows) {
		t.Error("a further source reshuffles the others")
	}
	if _, err := json.Marshal(m.Manifest); err != nil {
		t.Error(err)
	}
	_, err = Mix(1, a, &Set{Name: "B"})
	if err == nil || err.Error() != "data.Mix: source B has no examples" {
		t.Errorf("an empty source: %v", err)
	}
	if _, err = Mix(1, a, a); err == nil {
		t.Error("one name twice")
	}
}

func TestCorruptIsExact(t *testing.T) {
	s := rowsOf("s", 101)
	c, err := s.Corrupt(1, 0.3)
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i, r := range c.Rows {
		if r.Wrong != (r.Answer != s.Rows[i].Answer) {
			t.Fatalf("row %d: marked %v, %q was %q", i, r.Wrong, r.Answer, s.Rows[i].Answer)
		}
		if r.Wrong {
			wrong++
		}
	}
	if wrong != 30 {
		t.Errorf("%d of 101 are wrong; wanted 30", wrong)
	}
	same := &Set{Name: "same", Rows: []Example{{Answer: "yes"}, {Answer: "yes"}}}
	if _, err := same.Corrupt(1, 0.5); err == nil {
		t.Error("a task of one answer was corrupted")
	}
}

func TestDedup(t *testing.T) {
	s := rowsOf("s", 5)
	s.Rows = append(s.Rows, s.Rows[3], s.Rows[3])
	if d, n := s.Dedup(); n != 2 || d.Len() != 5 {
		t.Errorf("%d removed, %d left", n, d.Len())
	}
}

// Two conversations that end alike are not the same question.
func TestHistoryIsPartOfTheQuestion(t *testing.T) {
	s := &Set{Name: "chat"}
	for i := range 8 {
		s.Rows = append(s.Rows, Example{History: []token.Message{{Role: "user", Content: fmt.Sprint("topic ", i)}, {Role: "assistant", Content: "yes"}},
			Prompt: "go on", Answer: "well", Source: "chat", Row: i})
	}
	train, test, err := s.Split(1, 3)
	if err != nil || test.Len() != 3 {
		t.Fatal(err, test)
	}
	if r := Overlap(train, test, 13); len(r.Exact) != 0 {
		t.Errorf("%d conversations count as met", len(r.Exact))
	}
	if train.Rows[0].Asked() == train.Rows[1].Asked() {
		t.Error("what was said before is left out")
	}
}
