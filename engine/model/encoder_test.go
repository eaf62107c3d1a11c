package model_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/grad"
	"tunebook/engine/internal/shared"
	"tunebook/engine/model"
	"tunebook/engine/train"
)

// contrast is the golden's objective of an encoder: text 2i belongs to text 2i+1. The goldens compare the texts of a micro-batch with
// one another, not those of the whole update.
func contrast(t *testing.T) *train.Objective {
	t.Helper()
	p, err := train.Contrast(2, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	p.Whole = false
	return &train.Objective{Name: "contrast", Group: 2, Parts: []train.Part{p}}
}

// Embeddings of a packed batch are those that masked mean pooling gives for a padded one.
func TestEmbedIsGolden(t *testing.T) {
	for _, family := range []string{"bert", "modernbert"} {
		for _, name := range []string{"ref", "cpu"} {
			g := readGolden(t, filepath.Join("testdata", family))
			m := bare(t, device(t, name), g.dir)
			tape := grad.New(m.Device(), false)
			b := g.pack(0)
			got := make([]float32, len(b.Segments)*m.Config.HiddenSize)
			if err := m.Device().Download(got, m.Embed(tape, input(b)).Value); err != nil {
				t.Fatal(err)
			}
			tape.Free()
			if d := distance(got, g.tensor(t, "embeddings")); !(d <= 1e-5) {
				t.Errorf("%s/%s: embeddings differ by %.2g; wanted at most 1e-5", family, name, d)
			}
		}
	}
}

// minilm returns the folder of the published all-MiniLM-L6-v2, from shared models or from where TUNEBOOK_MINILM says.
func minilm(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TUNEBOOK_MINILM")
	if dir == "" {
		dir = filepath.Join(shared.Dir(t), "models", "all-MiniLM-L6-v2")
	}
	if _, err := os.Stat(filepath.Join(dir, "config.json")); err != nil {
		t.Skipf("%v; TUNEBOOK_MINILM may name the folder of all-MiniLM-L6-v2", err)
	}
	return dir
}

// The published MiniLM embeds sentences as transformers does: ids, every element, cosines; also after Save, and texts in any
// company give the same vectors.
func TestMiniLM(t *testing.T) {
	dir := minilm(t)
	var golden struct {
		Texts      []string
		IDs        [][]int32
		Embeddings [][]float32
	}
	raw, err := os.ReadFile("testdata/minilm.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	dev := device(t, "cpu")
	m, err := model.Open(dev, dir)
	if err != nil {
		t.Fatal(err)
	}
	check := func(m *model.Model, what string) {
		t.Helper()
		got, err := m.EmbedTexts(context.Background(), golden.Texts)
		if err != nil {
			t.Fatal(err)
		}
		worst, least := 0.0, 1.0
		for i, text := range golden.Texts {
			if ids := m.TextIDs(text); !equalIDs(ids, golden.IDs[i]) {
				t.Errorf("%s: %q: ids %v; wanted %v", what, text, ids, golden.IDs[i])
			}
			cosine := 0.0
			for j, v := range golden.Embeddings[i] {
				worst = max(worst, math.Abs(float64(got[i][j]-v)))
				cosine += float64(got[i][j]) * float64(v)
			}
			least = min(least, cosine)
		}
		t.Logf("%s: elements differ by %.1e at most, least cosine %.9f", what, worst, least)
		if worst > 2e-6 {
			t.Errorf("%s: elements differ by %.2g; wanted at most 2e-6", what, worst)
		}
	}
	check(m, "published")
	again := t.TempDir()
	if err := m.Save(again, "F32"); err != nil {
		t.Fatal(err)
	}
	n, err := model.Open(dev, again)
	if err != nil {
		t.Fatal(err)
	}
	check(n, "saved")
	python := os.Getenv("TUNEBOOK_PYTHON")
	if python == "" {
		return
	}
	out := filepath.Join(t.TempDir(), "minilm.json")
	if msg, err := offline(python, "testdata/minilm.py", again, out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	if raw, err = os.ReadFile(out); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	check(n, "saved, against transformers on what was saved")
}

func equalIDs(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// What an encoder cannot do is said, and a folder whose vectors are made in another way is refused.
func TestEncoderRefuses(t *testing.T) {
	dev := device(t, "ref")
	llama := bare(t, dev, "testdata/llama")
	if _, err := llama.EmbedTexts(context.Background(), []string{"x"}); err == nil || !strings.Contains(err.Error(), "a decoder") {
		t.Errorf("a decoder embeds: %v", err)
	}
	one := data.Sequence{IDs: []int32{1, 2}, Targets: []int32{2, backend.IgnoreIndex}}
	if _, err := train.New(bare(t, dev, "testdata/bert"), []data.Sequence{one}, []string{"x"}, train.Config{LR: 1}); err == nil || !strings.Contains(err.Error(), "an encoder") {
		t.Errorf("an encoder is trained as a decoder: %v", err)
	}
	for text, want := range map[string]string{
		`{"pooling_mode_max_tokens": true}`:                                   "pooling_mode_max_tokens is not implemented",
		`{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}`:  "2 modes",
		`{"pooling_mode_mean_tokens": false, "word_embedding_dimension": 16}`: "0 modes",
	} {
		dir := t.TempDir()
		os.Mkdir(filepath.Join(dir, "1_Pooling"), 0o755)
		os.WriteFile(filepath.Join(dir, "modules.json"), []byte(`[{"type": "sentence_transformers.models.Pooling"}]`), 0o644)
		os.WriteFile(filepath.Join(dir, "1_Pooling", "config.json"), []byte(text), 0o644)
		if _, err := model.ReadPooling(os.DirFS(dir), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; wanted %q", text, err, want)
		}
	}
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "modules.json"), []byte(`[{"type": "sentence_transformers.models.Dense"}]`), 0o644)
	if _, err := model.ReadPooling(os.DirFS(dir), dir); err == nil || !strings.Contains(err.Error(), "Dense is not implemented") {
		t.Errorf("a dense module: %v", err)
	}
}
