package eval

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	core "tunebook/engine/eval"
	"tunebook/stdlib/stop"
)

func Example() {
	s := Texts("rougeL", []string{"the cat sat", "a dog"}, []string{"the cat sat down", "a dog"})
	fmt.Printf("%.3f over %d documents\n", s.Mean, s.N)
	// Output: 0.929 over 2 documents
}

// stopped returns the *stop.Error that f panics with.
func stopped(t *testing.T, f func()) (err *stop.Error) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			err = r.(*stop.Error)
		}
	}()
	f()
	t.Error("nothing stopped")
	return nil
}

func TestTextsStopsWithASentence(t *testing.T) {
	if e := stopped(t, func() { Texts("rougeL", []string{"a"}, nil) }); e.Error() != "eval.Texts: 1 predictions and 0 references; wanted as many" {
		t.Error(e)
	}
	if e := stopped(t, func() { Texts("bleurt", nil, nil) }); !strings.Contains(e.Error(), `metric "bleurt" is not known`) {
		t.Error(e)
	}
	rows := []Row{{Answer: "x", Cleaned: "x"}}
	a, b := Rows(Find("exact"), rows, How{Template: "chatml"}), Rows(Find("exact"), rows, How{Template: "none"})
	e := stopped(t, func() { Paired(a, b) })
	var un *core.Unlike
	if !errors.As(e, &un) || e.Hint == "" || !strings.Contains(e.Error(), "template: chatml, none") {
		t.Error(e)
	}
}

func TestShowSaysHowAndEscapes(t *testing.T) {
	s := Rows(Find("rougeL+stem"), []Row{{Prompt: "<script>", Answer: "the cats", Raw: "cat\x1b[31m", Cleaned: "the cat"}},
		How{Model: "<b>m</b>", TestSet: "t", Template: "chatml", MaxNew: 64, Stops: []string{"\n"}, Decoding: "greedy", Seeds: []int64{0}})
	text, page := s.Show()
	for _, want := range []string{"ROUGE-L (stemmed) 100.0", "1 document, 1 seed", "template: chatml", `stops: "\n"`, "most new tokens: 64", "seeds: 0", "Porter"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	_, rows := s.Worst(5).Show()
	if strings.Contains(page+rows, "<b>") || strings.Contains(page+rows, "<script>") || strings.Contains(rows, "\x1b") {
		t.Error("a text was read as HTML")
	}
}

func TestPairedShow(t *testing.T) {
	refs := make([]string, 40)
	a, b := make([]string, 40), make([]string, 40)
	for i := range refs {
		refs[i], a[i], b[i] = "yes", "no", "no"
		if i%2 == 0 {
			b[i] = "yes"
		}
	}
	text, page := Paired(Texts("exact", a, refs), Texts("exact", b, refs)).Show()
	if !strings.HasPrefix(text, "+50.0 exact match, 95 % ") || !strings.Contains(text, "better on 20 documents, worse on 0, equal on 20") || !strings.Contains(page, "&lt;0.001") {
		t.Error(text, page)
	}
}

func TestWorstAndBest(t *testing.T) {
	s := Texts("exact", []string{"b", "a", "c"}, []string{"a", "a", "a"})
	if w := s.Worst(2); len(w.Rows) != 2 || w.Rows[0].Cleaned != "b" || w.Rows[1].Cleaned != "c" || w.Title != "the worst 2 of 3 documents" {
		t.Errorf("%+v", w)
	}
	if b := s.Best(9); len(b.Rows) != 3 || b.Rows[0].Cleaned != "a" {
		t.Errorf("%+v", b)
	}
}
