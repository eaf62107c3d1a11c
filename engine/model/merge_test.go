package model_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/grad"
	"tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/tensor"
)

// adapted returns the model inside the binary with an adapter whose B is no longer 0.
func adapted(t *testing.T, lora model.LoRA) *model.Model {
	t.Helper()
	m, err := model.OpenFS(device(t, "cpu"), base.Files, base.Name)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AddAdapter(lora, 1); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Adapter.Params() {
		if strings.HasSuffix(p.Name, ".lora_B.weight") {
			r, x := tensor.NewRNG(2, p.Name), make([]float32, p.Len())
			for i := range x {
				x[i] = float32(0.02 * r.Norm())
			}
			m.Device().Upload(p.Value, x)
		}
	}
	return m
}

// A merged model scores and answers as the adapter beside its base does, whatever kind of adapter; saved in float32 and opened
// it is the same to the bit, and in bfloat16 within a bound. Saving over the folder that it was opened from changes nothing.
func TestMergedAnswersTheSame(t *testing.T) {
	for _, lora := range []model.LoRA{{Rank: 8}, {Rank: 8, RSLoRA: true}, {Rank: 8, DoRA: true}} {
		m := adapted(t, lora)
		what := fmt.Sprintf("rsLoRA %v, DoRA %v", lora.RSLoRA, lora.DoRA)
		merged, err := m.Merge()
		if err != nil {
			t.Fatal(err)
		}
		plain := m.Share()
		var prompts [][]int32
		for i := range 20 {
			prompts = append(prompts, m.Tokenizer.Encode(fmt.Sprintf("The home of number %d is", i)))
		}
		apart := func(a, b *model.Model) (worst float64) {
			x, y := last(t, a, prompts), last(t, b, prompts)
			for i := range x {
				worst = max(worst, math.Abs(float64(x[i]-y[i])))
			}
			return worst
		}
		if d := apart(m, merged); !(d <= 1e-4) {
			t.Errorf("%s: merged logits differ by %.2g; wanted at most 1e-4", what, d)
		}
		if d := apart(m, plain); d < 0.1 {
			t.Errorf("%s: the adapter changes logits by %.2g only", what, d)
		}
		answers := func(m *model.Model) [][]int32 {
			out, err := m.Generate(context.Background(), prompts, model.Greedy{MaxNew: 8}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		want, got := answers(m), answers(merged)
		for i := range want {
			if !slices.Equal(want[i], got[i]) {
				t.Errorf("%s: answer %d is %v; wanted %v", what, i, got[i], want[i])
			}
		}
		if lora.RSLoRA || lora.DoRA {
			continue
		}
		for dtype, limit := range map[string]float64{"F32": 0, "BF16": 0.3} {
			dir := filepath.Join(t.TempDir(), dtype)
			if err := m.Save(dir, dtype); err != nil {
				t.Fatal(err)
			}
			saved, err := model.Open(m.Device(), dir)
			if err != nil {
				t.Fatal(err)
			}
			d := apart(merged, saved)
			t.Logf("%s: saved in %s, logits differ by %.2g", what, dtype, d)
			if d > limit {
				t.Errorf("%s: saved in %s, logits differ by %.2g; wanted at most %g", what, dtype, d, limit)
			}
			before, _ := saved.Fingerprint()
			if err := saved.Save(dir, dtype); err != nil {
				t.Fatal(err)
			}
			again, err := model.Open(m.Device(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if after, _ := again.Fingerprint(); after != before {
				t.Errorf("%s: saved over its own folder it is another model", dtype)
			}
		}
	}
}

// last returns the logits behind every prompt.
func last(t *testing.T, m *model.Model, prompts [][]int32) []float32 {
	t.Helper()
	var rows []int32
	at := 0
	for _, p := range prompts {
		at += len(p)
		rows = append(rows, int32(at-1))
	}
	tape := grad.New(m.Device(), false)
	defer tape.Free()
	x := make([]float32, len(rows)*m.Config.VocabSize)
	if err := m.Device().Download(x, m.Logits(tape, model.Pack(prompts), rows).Value); err != nil {
		t.Fatal(err)
	}
	return x
}
