package eval

import (
	"strings"
	"testing"

	"tunebook/stdlib/data"
	"tunebook/stdlib/model"
)

func TestTaskOnTheEmbeddedModel(t *testing.T) {
	base := model.Open("base")
	test := data.Generate(data.Gen{Skills: []string{"tracking"}, Split: "test", Size: 12, Seed: 1}).Named("tracking")
	task := Task{Test: test, Shots: 1, MaxNew: 8, Metric: "f1", Quiet: true}
	a := task.Ask(base)
	s := a.Score(Find("f1"))
	if s.N != 12 || s.How.Shots != 1 || s.How.Decoding != "greedy" || s.How.TestSet != "tracking" || task.Run(base).Mean != s.Mean {
		t.Errorf("%v %+v", s, s.How)
	}
	if !strings.Contains(a.Rows()[0].Prompt, "assistant: ") {
		t.Errorf("the shot is not in the row: %q", a.Rows()[0].Prompt)
	}
	// Another shot seed, another cleaner: other ways, not compared.
	other := task
	other.ShotSeed = 2
	for want, b := range map[string]Score{"template": other.Run(base), "cleaning": a.Cleaned(FindCleaner("last-number")).Score(Find("f1"))} {
		if e := stopped(t, func() { Paired(s, b) }); !strings.Contains(e.Error(), want) || e.Hint == "" {
			t.Error(e)
		}
	}
	if e := stopped(t, func() { Task{}.Run(base) }); !strings.Contains(e.Error(), "no Test") {
		t.Error(e)
	}
	ppl := Foreseen(base, "bits-per-byte", "three", []string{"Mira lives in Velton.", "A door.", "x"}, Rolling{})
	if ppl.N != 3 || ppl.Mean <= 0 || !strings.HasPrefix(ppl.String(), "bits per byte ") {
		t.Error(ppl)
	}
}

func TestCompareShowsWhatChanged(t *testing.T) {
	rows := func(answers ...string) []Row {
		out := make([]Row, len(answers))
		for i, a := range answers {
			out[i] = Row{Prompt: string(rune('p' + i)), Answer: "yes", Raw: a, Cleaned: a}
		}
		return out
	}
	a := Rows(Find("exact"), rows("yes", "no", "yes", "no"), How{Model: "first"})
	b := Rows(Find("exact"), rows("yes", "yes", "no<b>", "no"), How{Model: "second"})
	c := Compare(a, b, 2)
	if c.Title != "2 of 4 documents, 1 better and 1 worse in second" || len(c.Rows) != 2 || c.Rows[0].Row != 2 || c.Rows[1].Row != 1 || c.Rows[0].Improvement != -1 {
		t.Errorf("%+v", c)
	}
	if text, page := c.Show(); !strings.Contains(text, "-100.0") || strings.Contains(page, "<b>") {
		t.Errorf("%s\n%s", text, page)
	}
	b.How.Template = "chatml"
	if e := stopped(t, func() { Compare(a, b, 2) }); !strings.Contains(e.Error(), "template: none, chatml") {
		t.Error(e)
	}
}
