package eval

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/engine/internal/shared"
)

func TestSuperNIProtocol(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "data", "superni")
	m := openBase(t)
	s := SuperNI{Files: []string{filepath.Join(dir, "single", "task957_e2e_nlg_text_generation_generate.json"), filepath.Join(dir, "task875_emotion_classification", "test.json")},
		Raw: true, Instances: 3, MaxNew: 4}
	r, err := s.Run(context.Background(), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.RougeL.N != 6 || len(r.Tasks) != 2 || r.Tasks[0].Name != "task957_e2e_nlg_text_generation_generate" || r.Tasks[0].Category != "Data to Text" || r.Tasks[1].Name != "task875_emotion_classification" {
		t.Errorf("%v %+v", r.RougeL, r.Tasks)
	}
	if r.RougeL.Metric != "ROUGE-L (stemmed)" || r.ExactMatch.Metric != "exact match (Super-NI)" || r.RougeL.How.MaxNew != 4 {
		t.Errorf("%+v", r.RougeL.How)
	}
	want := "\n\n Positive Example 1 -\nInput: name[Aromi], eatType[restaurant], food[English], area[city centre]\n" +
		" Output: Aromi is an English restaurant in the city centre.\n\n Positive Example 2 -\n"
	p := r.RougeL.Rows[0].Prompt
	if !strings.HasPrefix(p, "Definition: In this task, we ask you convert") || !strings.Contains(p, want) ||
		!strings.HasSuffix(p, "\n\nNow complete the following example -\nInput: name[Midsummer House], food[Indian], customer rating[low], near[Café Rouge]\nOutput:") {
		t.Errorf("%q", p)
	}
	s.MaxSource = 240
	if r, err = s.Run(context.Background(), m, nil); err != nil || len(r.RougeL.Notes) == 0 || !strings.Contains(r.RougeL.Notes[0], "fewer than 2 positive examples") {
		t.Errorf("%v %v", r.RougeL.Notes, err)
	}
	for _, row := range r.RougeL.Rows {
		if n := len(m.Tokenizer.Encode(row.Prompt)); n > 240 {
			t.Errorf("a prompt of %d tokens; wanted at most 240", n)
		}
	}
	for want, bad := range map[string]SuperNI{"no task files": {}, "open nowhere": {Files: []string{"nowhere"}}} {
		if _, err := bad.Run(context.Background(), m, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %q", err, want)
		}
	}
}
