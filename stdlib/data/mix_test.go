package data

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tunebook/stdlib/model"
)

func rows(name string, n int) *Set {
	var list []Example
	for i := range n {
		list = append(list, Example{Prompt: fmt.Sprint(name, " ", i), Answer: strings.Repeat("x", i%9+1), Task: "t", Skill: []string{"even", "odd"}[i%2]})
	}
	return New(name, list)
}

func TestBlend(t *testing.T) {
	own, broad := rows("own", 50), rows("broad", 500)
	m := Blend(1, Part{Set: own, Passes: 2}, Part{Set: broad, Ratio: 3, Weight: 0.5})
	if m.Len() != 400 {
		t.Fatalf("%d examples", m.Len())
	}
	text, html := m.Show()
	for _, want := range []string{"own     passes 2", "25.00 %", "75.00 %", "most often", "weight", "0.5", "400 examples (planned 400)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "removed") || !strings.Contains(html, "most often") {
		t.Errorf("columns without numbers are shown, or the page lacks some:\n%s", text)
	}
	b, err := json.Marshal(m.Manifest())
	if err != nil || !strings.Contains(string(b), `"plan":"ratio 3"`) {
		t.Errorf("%s %v", b, err)
	}
	var parts []Part
	for _, s := range broad.BySkill() {
		parts = append(parts, Part{Set: s, Share: 0.5})
	}
	if m := Blend(1, parts...); m.Len() != 500 || m.Manifest().Sources[1].Name != "broad/odd" {
		t.Errorf("%s", m)
	}
	base := model.Open("base")
	tok := Recipe{Seed: 1, Unit: SupervisedTokens, For: base, Size: 600, Parts: []Part{{Set: own, Share: 0.3}, {Set: broad, Share: 0.7}}}.Blend()
	for _, s := range tok.Manifest().Sources {
		if d := s.Planned - s.Realised; d > 8 || d < -8 {
			t.Errorf("%+v", s)
		}
	}
	shares := Adapt(2, nil)
	shares.Observe([]float64{2, 1})
	m = Recipe{Size: 100, Stages: shares.Stages(), Parts: []Part{{Set: broad}, {Set: own}}}.Blend()
	if n := m.Manifest().Sources[0].Drawn; n != 73 { // e/(e+1)
		t.Errorf("%d of 100 come from the source with the larger loss", n)
	}
	for want, f := range map[string]func(){
		"exactly one":                func() { Blend(1, Part{Set: own}) },
		"part 1 has no Set":          func() { Blend(1, Part{Passes: 1}) },
		"Linear is set":              func() { Recipe{Linear: true, Parts: []Part{{Set: own}}}.Blend() },
		"wanted a set before mixing": func() { Blend(1, Part{Set: own, Passes: 2}).Dedup() },
		`Policy is "cut"`:            func() { ShowMask(base, own, 0, Encoding{Policy: "cut"}) },
		"row 50; there are 50":       func() { ShowMask(base, own, 50) },
	} {
		if msg := stopped(t, f).Error(); !strings.Contains(msg, want) {
			t.Errorf("%q is not in %q", want, msg)
		}
	}
}

func TestClean(t *testing.T) {
	long := "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
	a := New("a", []Example{{Prompt: long, Answer: "x"}, {Prompt: long, Answer: "x"}, {Prompt: "other", Answer: "y"}})
	b := New("b", []Example{{Prompt: strings.ToUpper(long), Answer: "x"}})
	d := Dedup(DedupOptions{Near: 0.8}, a, b)
	if d.Sets[0].Len() != 2 || d.Sets[1].Len() != 0 || !strings.Contains(d.String(), "a row 0") || !strings.Contains(d.String(), "1.00") {
		t.Errorf("%s", d)
	}
	if a.DedupNear(0.5).Len() != 2 || a.Dedup().Len() != 2 {
		t.Error("within a set")
	}
	if got := a.Decontaminate(13, b); got.Len() != 1 || got.Steps()[0].Op != "decontaminate" {
		t.Errorf("%s", got)
	}
	l := Overlap(a, b, 13)
	if s := l.String(); !strings.Contains(s, "2 training rows meet one") || !strings.Contains(s, "one two three") {
		t.Error(s)
	}
}

// Every token is shown once with its id, trained ones in brackets; hostile text stays text; a cut and a pack's border are
// marked.
func TestShowMask(t *testing.T) {
	base := model.Open("base")
	s := New("s", []Example{
		{Prompt: "<script>alert(1)</script> \x1b[31m what?", Answer: "yes <b>"},
		{Prompt: "Read it.\n\n" + strings.Repeat("many words ", 40), Answer: "no", Input: 10}})
	k := ShowMask(base, s, 0)
	text, page := k.Show()
	if strings.Contains(page, "<script") || strings.Contains(page, "<b>y") || strings.ContainsAny(text+page, "\x1b") {
		t.Errorf("text is markup:\n%s", page)
	}
	r := k.Rows[0]
	trained, ids := "", 0
	for _, p := range r.Parts {
		ids += len(p.IDs)
		for i, x := range p.Texts {
			if want := "|"; p.Trained {
				trained += x
				want = "[" + strings.ReplaceAll(x, "\n", "⏎") + "]"
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
			if !strings.Contains(page, fmt.Sprintf("<rt>%d</rt>", p.IDs[i])) {
				t.Errorf("id %d is not on the page", p.IDs[i])
			}
		}
	}
	if stop := base.Engine().Template.Stop; trained != "yes <b>"+stop || ids != r.Tokens {
		t.Errorf("trained: %q; %d ids of %d", trained, ids, r.Tokens)
	}
	cut := ShowMask(base, s, 1, Encoding{MaxLen: 30, Policy: "cut-input"})
	if text, page := cut.Show(); !strings.Contains(text, fmt.Sprintf("✂ %d tokens of the input", cut.Rows[0].Input)) || !strings.Contains(page, "✂") || cut.Rows[0].Tokens > 30 {
		t.Errorf("%s", text)
	}
	front := ShowMask(base, s, 1, Encoding{MaxLen: 30, Policy: "cut-prompt"})
	if text, _ := front.Show(); !strings.Contains(text, fmt.Sprintf("✂ %d tokens\n", front.Rows[0].Front)) {
		t.Errorf("%s", text)
	}
	if text, _ := ShowMask(base, s, 1, Encoding{MaxLen: 30, Policy: "drop"}).Show(); !strings.Contains(text, "dropped") {
		t.Errorf("%s", text)
	}
	pack := ShowPack(base, s, []int{0, 1})
	if text, _ := pack.Show(); !strings.Contains(text, fmt.Sprintf("border: token %d of the pack", r.Tokens)) || !strings.Contains(text, "0 of them padding") {
		t.Errorf("%s", text)
	}
	if text, _ := ShowMask(base, s, 0, Encoding{Train: "all"}).Show(); !strings.Contains(text, fmt.Sprintf("%d trained", r.Tokens-1)) {
		t.Errorf("%s", text)
	}
}
