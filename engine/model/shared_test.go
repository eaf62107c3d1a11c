package model

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	"tunebook/engine/grad"
	"tunebook/engine/internal/shared"
	"tunebook/engine/token"
)

func logitsAfter(t *testing.T, m *Model, ids []int32) []float32 {
	t.Helper()
	in := Input{IDs: ids, Segments: &backend.Segments{List: []backend.Segment{{QLen: len(ids), KLen: len(ids)}}}}
	for i := range ids {
		in.Positions = append(in.Positions, int32(i))
	}
	tape := grad.New(m.dev, false)
	defer tape.Free()
	v := m.Logits(tape, in, []int32{int32(len(ids) - 1)})
	out := make([]float32, m.Config.VocabSize)
	if err := m.dev.Download(out, v.Value); err != nil {
		t.Fatal(err)
	}
	return out
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

// SmolLM2's logits, prompt ids and greedy answer are those of transformers in float32 on the same file.
func TestSmolLM2(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "models", "smollm2-135m-instruct")
	dev, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(dev, filepath.Join(dir, "SmolLM2-135M-Instruct.Q4_1.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Input  []int32 `json:"input_ids"`
		Greedy []int32 `json:"greedy_ids"`
	}
	readJSON(t, filepath.Join(dir, "ref.json"), &ref)
	enc, err := m.Template.Encode(m.Tokenizer, []token.Message{{Role: "user", Content: "What is the capital of France?"}}, true)
	if err != nil || !slices.Equal(enc.IDs, ref.Input) {
		t.Fatalf("prompt ids %v, %v; wanted %v", enc.IDs, err, ref.Input)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "ref_last_logits.f32le"))
	if err != nil {
		t.Fatal(err)
	}
	got, worst := logitsAfter(t, m, ref.Input), 0.0
	for i := range got {
		want := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		worst = max(worst, math.Abs(float64(got[i]-want)))
	}
	t.Logf("largest difference of %d logits: %.2g", len(got), worst)
	if worst > 1e-3 {
		t.Errorf("logits differ by %g; wanted at most 1e-3", worst)
	}
	out, err := m.Generate(context.Background(), [][]int32{ref.Input}, Greedy{MaxNew: 16, Stops: m.Template.StopIDs(m.Tokenizer)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := ref.Greedy[:len(ref.Greedy)-1]; !slices.Equal(out[0], want) {
		t.Errorf("greedy ids %v; wanted %v", out[0], want)
	}
}

// The greedy text of llama2.c's stories260K is the golden one, token for token, on both backends.
func TestStories260K(t *testing.T) {
	dir := filepath.Join(shared.Dir(t), "models", "stories260k")
	var golden struct {
		Greedy []int32      `json:"greedy_ids"`
		Top    [][2]float64 `json:"logits_bos_top5"` // id, logit
	}
	readJSON(t, filepath.Join(dir, "golden_greedy.json"), &golden)
	for _, name := range []string{"cpu", "ref"} {
		dev, err := backend.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Open(dev, filepath.Join(dir, "stories260K.bin"))
		if err != nil {
			t.Fatal(err)
		}
		logits := logitsAfter(t, m, []int32{m.Tokenizer.BOS()})
		for _, top := range golden.Top {
			if got := float64(logits[int(top[0])]); math.Abs(got-top[1]) > 1e-4 {
				t.Errorf("%s: logit of %g after BOS is %g; wanted %g", name, top[0], got, top[1])
			}
		}
		n := len(golden.Greedy)
		if name == "ref" || testing.Short() {
			n = 60
		}
		out, err := m.Generate(context.Background(), [][]int32{{m.Tokenizer.BOS()}}, Greedy{MaxNew: n - 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out[0], golden.Greedy[1:n]) {
			t.Errorf("%s: greedy ids are not the golden ones: %q", name, m.Tokenizer.Decode(out[0]))
		}
		if name == "ref" {
			continue
		}
		// Saved, over a folder that holds another tokenizer, and opened again, it is the same model with the same ids.
		saved := t.TempDir()
		if err := os.WriteFile(filepath.Join(saved, tokenizerFile), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := m.Save(saved, "F32"); err != nil {
			t.Fatal(err)
		}
		again, err := Open(dev, saved)
		if err != nil {
			t.Fatal(err)
		}
		text := m.Tokenizer.Decode(golden.Greedy)
		if a, b := again.Tokenizer.Encode(text), m.Tokenizer.Encode(text); !slices.Equal(a, b) || !slices.Equal(b, golden.Greedy[1:]) {
			t.Errorf("the golden text is %d before and %d after", b, a)
		}
		if a, b := logitsAfter(t, again, golden.Greedy[:20]), logitsAfter(t, m, golden.Greedy[:20]); !slices.Equal(a, b) {
			t.Error("logits changed on the way")
		}
	}
}
