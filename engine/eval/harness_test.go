package eval

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/internal/shared"
	"tunebook/engine/model"
)

// On the same weights, lm-evaluation-harness and Choose give the same log-likelihoods, choices and perplexities, document by
// document. The weights are the embedded model's, and SmolLM2's.
func TestHarness(t *testing.T) {
	python := os.Getenv("TUNEBOOK_HARNESS_PYTHON")
	if python == "" {
		t.Skip("TUNEBOOK_HARNESS_PYTHON names no Python with lm-eval 0.4.13, torch and transformers")
	}
	t.Run("base", func(t *testing.T) { harness(t, python, openBase(t)) })
	t.Run("SmolLM2", func(t *testing.T) {
		dev, err := backend.Open("cpu")
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Open(dev, filepath.Join(shared.Dir(t), "models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"))
		if err != nil {
			t.Fatal(err)
		}
		harness(t, python, m)
	})
}

func harness(t *testing.T, python string, m *model.Model) {
	dir := t.TempDir()
	if err := m.Save(filepath.Join(dir, "model"), "F32"); err != nil {
		t.Fatal(err)
	}
	examples := questions(20)
	examples[1].Prompt += " "                // white space at the end goes to the answer
	examples[2].Prompt = "The door is a blu" // a border within a word
	examples[3].Prompt = "Line one\nline two\n"
	examples[4].Choices = []string{"é", "naïve café", "red", "dark blue"}
	examples[4].Answer = "naïve café"
	texts := []string{"Mira lives in Velton.", strings.Repeat("The door of number 3 is red. ", 80), "é\n\nnaïve  café"}
	write := func(name string, rows []map[string]any) string {
		var b strings.Builder
		for _, r := range rows {
			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(line, '\n'))
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var rows, documents []map[string]any
	for _, e := range examples {
		gold := 0
		for i, c := range e.Choices {
			if c == e.Answer {
				gold = i
			}
		}
		rows = append(rows, map[string]any{"question": e.Prompt, "choices": e.Choices, "gold": gold})
	}
	for _, s := range texts {
		documents = append(documents, map[string]any{"text": s})
	}
	out := filepath.Join(dir, "out.json")
	cmd := exec.Command(python, "testdata/harness/harness.py", filepath.Join(dir, "model"), write("choices.jsonl", rows), write("texts.jsonl", documents), out)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var want struct {
		Choices []struct {
			LogProbs []float64
			Acc      float64 `json:"acc"`
			Length   float64 `json:"acc_norm"`
			Bytes    float64 `json:"acc_bytes"`
			Mutual   float64 `json:"acc_mutual_info"`
		}
		Texts map[string]float64
	}
	readJSON(t, out, &want)
	if len(want.Choices) != len(examples) {
		t.Fatalf("%d documents; wanted %d", len(want.Choices), len(examples))
	}
	most := 0.0
	for _, norm := range []Norm{NormNone, NormLength, NormBytes, NormUnconditional} {
		s, err := Task{Name: "harness", Kind: KindChoose, Norm: norm, Raw: true, Examples: append([]data.Example(nil), examples...)}.Run(context.Background(), m, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want.Choices {
			if got, w := s.PerDoc[i], map[Norm]float64{NormNone: w.Acc, NormLength: w.Length, NormBytes: w.Bytes, NormUnconditional: w.Mutual}[norm]; got != w {
				t.Errorf("document %d, norm %q: %v; harness %v", i, norm, got, w)
			}
			for k, o := range s.Rows[i].Options {
				most = max(most, math.Abs(o.LogProb-w.LogProbs[k]))
				if norm == NormUnconditional {
					most = max(most, math.Abs(o.Unconditional-w.LogProbs[len(s.Rows[i].Options)+k]))
				}
			}
		}
	}
	t.Logf("log-likelihoods of %d documents differ by %.2g nats at most", len(examples), most)
	if most > 1e-3 {
		t.Errorf("log-likelihoods differ by %v nats", most)
	}
	r, how, err := TextRows(context.Background(), m, texts, Rolling{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]string{"word-perplexity": "word_perplexity", "byte-perplexity": "byte_perplexity", "bits-per-byte": "bits_per_byte"} {
		s, err := ScoreTexts(find(t, name), r, how)
		if err != nil || want.Texts[key] == 0 || math.Abs(s.Mean/want.Texts[key]-1) > 1e-5 {
			t.Errorf("%s %v (%v); harness %v", name, s.Mean, err, want.Texts[key])
		}
	}
}
