package model_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/internal/shared"
	"tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/train"
)

// A quantised base computes what a model of the numbers that its blocks stand for computes, to the same bits: logits, losses of
// ten updates of an adapter, DoRA's too, on both backends and whichever way weights lie; no bit of the base changes, and
// what is merged is the sum of both.
func TestQuantisedBase(t *testing.T) {
	for _, dir := range []string{"llama", "gpt2", "modernbert"} {
		for _, name := range []string{"ref", "cpu"} {
			for _, q := range backend.Quants {
				g := readGolden(t, filepath.Join("testdata", dir))
				dev := device(t, name)
				m, err := bare(t, dev, g.dir).Quantize(q)
				if err != nil {
					t.Fatal(err)
				}
				wide, err := m.Merge() // numbers again
				if err != nil {
					t.Fatal(err)
				}
				if kind, ok := m.Quant(); !ok || kind != q {
					t.Fatalf("held in %v, %v; wanted %v", kind, ok, q)
				}
				if _, ok := wide.Quant(); ok {
					t.Fatal("the merged model is still packed")
				}
				before, err := m.Fingerprint()
				if err != nil {
					t.Fatal(err)
				}
				if same, _ := wide.Fingerprint(); same != before {
					t.Errorf("%s/%s/%v: the widened model is another", dir, name, q)
				}
				got := logits(t, m, g.pack(0))
				exact := !q.Rounds() // which rounds activations, too
				if same := logits(t, wide, g.pack(0)); exact && !slices.Equal(got, same) || !exact && !(distance(got, same) <= 0.1) {
					t.Errorf("%s/%s/%v: logits are not those of the numbers", dir, name, q)
				}
				d := distance(got, logits(t, bare(t, dev, g.dir), g.pack(0)))
				if limit := map[backend.Quant]float64{backend.Q8_0: 0.1, backend.Q4_0: 1, backend.NF4: 1, backend.BF16: 0.1, backend.Int8: 0.2, backend.Int4: 1}[q]; d == 0 || d > limit {
					t.Errorf("%s/%s/%v: quantising changes logits by %.2g; wanted more than 0 and at most %g", dir, name, q, d, limit)
				}
				if m.Encoder() {
					continue
				}
				for _, lora := range []model.LoRA{{Rank: 2}, {Rank: 2, DoRA: true}} {
					var losses [2][]float64
					var logs [2][]float32
					for i, base := range []*model.Model{m, wide} {
						on := base.Share()
						losses[i] = adapterLosses(t, g, on, lora)
						logs[i] = logits(t, on, g.pack(0))
						if i == 0 {
							merged, err := on.Merge()
							if err != nil {
								t.Fatal(err)
							}
							limit := 1e-5
							if !exact {
								limit = 0.1
							}
							if d := distance(logits(t, merged, g.pack(0)), logs[0]); !(d <= limit) {
								t.Errorf("%s/%s/%v: merged logits differ by %.2g; wanted at most %g", dir, name, q, d, limit)
							}
						}
					}
					if exact && (!slices.Equal(losses[0], losses[1]) || !slices.Equal(logs[0], logs[1])) || !exact && !(math.Abs(losses[0][9]-losses[1][9]) <= 0.02) {
						t.Errorf("%s/%s/%v, DoRA %v: training differs from that over the numbers: %v; wanted %v", dir, name, q, lora.DoRA, losses[0], losses[1])
					}
					if last := len(losses[0]) - 1; losses[0][last] >= losses[0][0] {
						t.Errorf("%s/%s/%v: losses %v do not fall", dir, name, q, losses[0])
					}
				}
				if after, _ := m.Fingerprint(); after != before {
					t.Errorf("%s/%s/%v: training moved the base", dir, name, q)
				}
			}
		}
	}
}

// adapterLosses trains an adapter for ten updates.
func adapterLosses(t *testing.T, g *golden, m *model.Model, lora model.LoRA) (losses []float64) {
	t.Helper()
	tr, err := train.New(m, []data.Sequence{{IDs: []int32{1, 2}, Targets: []int32{2, backend.IgnoreIndex}}}, []string{"golden"},
		train.Config{LR: 0.02, Steps: 10, LoRA: lora, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		r, err := tr.Step([]data.Batch{g.pack(2 * (i % 2))})
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, r.Loss)
	}
	return losses
}

// A model that is opened in a form of quantisation is the one that is opened and then quantised; a GGUF file of the same form keeps
// its very numbers.
func TestOpenQuantised(t *testing.T) {
	m, err := model.OpenFS(device(t, "cpu"), base.Files, base.Name)
	if err != nil {
		t.Fatal(err)
	}
	for q, as := range map[backend.Quant]string{backend.Q8_0: "Q8_0", backend.Q4_0: "Q4_0", backend.NF4: "F32", backend.BF16: "BF16", backend.Int8: "Q8_0", backend.Int4: "Q4_0"} {
		path := filepath.Join(t.TempDir(), "m.gguf")
		if err := m.SaveGGUF(path, as); err != nil {
			t.Fatal(err)
		}
		wide, err := model.Open(m.Device(), path)
		if err != nil {
			t.Fatal(err)
		}
		then, err := wide.Quantize(q)
		if err != nil {
			t.Fatal(err)
		}
		at, err := model.Open(m.Device(), path, q)
		if err != nil {
			t.Fatal(err)
		}
		if kind, ok := at.Quant(); !ok || kind != q {
			t.Errorf("opened in %v: held in %v, %v", q, kind, ok)
		}
		a, _ := then.Fingerprint()
		b, _ := at.Fingerprint()
		c, _ := wide.Fingerprint()
		if a != b || (b == c) != (q != backend.NF4) {
			t.Errorf("%v: opened in it another model: %v; the file's own numbers: %v", q, a != b, b == c)
		}
	}
}

// The same holds for rows of interleaved RoPE whose ends are no ends of blocks: 48 wide, where NF4 has blocks of 64.
func TestOpenQuantisedInterleaved(t *testing.T) {
	dev := device(t, "cpu")
	m, err := model.New(dev, model.Config{ModelType: "llama", VocabSize: 64, HiddenSize: 48, IntermediateSize: 96, NumHiddenLayers: 2, NumAttentionHeads: 4,
		NumKeyValueHeads: 2, HeadDim: 12, MaxPositionEmbeddings: 64, RMSNormEps: 1e-5, RopeTheta: 1e4, TieWordEmbeddings: true}, 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.gguf")
	if err := m.SaveBareGGUF(path, "F32"); err != nil {
		t.Fatal(err)
	}
	wide, err := model.OpenBareGGUF(dev, path)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range backend.Quants {
		then, err := wide.Quantize(q)
		if err != nil {
			t.Fatal(err)
		}
		at, err := model.OpenBareGGUF(dev, path, q)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := then.Fingerprint()
		b, _ := at.Fingerprint()
		if a != b {
			t.Errorf("%v: opened in it another model", q)
		}
	}
}

func TestQuantizeRefuses(t *testing.T) {
	dev := device(t, "ref")
	m := bare(t, dev, "testdata/llama")
	q, err := m.Quantize(backend.Q8_0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Quantize(backend.NF4); err == nil || !strings.Contains(err.Error(), "held in q8_0 already") {
		t.Errorf("quantised twice: %v", err)
	}
	one := data.Sequence{IDs: []int32{1, 2}, Targets: []int32{2, backend.IgnoreIndex}}
	if _, err := train.New(q, []data.Sequence{one}, []string{"x"}, train.Config{LR: 1}); err == nil || !strings.Contains(err.Error(), "held in q8_0") {
		t.Errorf("full training of a quantised model: %v", err)
	}
	if err := m.AddAdapter(model.LoRA{Rank: 1}, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Quantize(backend.Q8_0); err == nil || !strings.Contains(err.Error(), "an adapter of rank 1") {
		t.Errorf("quantised with an adapter: %v", err)
	}
}

// Taking a merged adapter out gives the weights from before, but for rounding; DoRA is refused.
func TestUnmerge(t *testing.T) {
	for _, from := range []string{"testdata/llama", "testdata/gpt2"} {
		m := bare(t, device(t, "cpu"), from)
		if err := model.OpenAdapter(m, filepath.Join(from, "adapter-all")); err != nil {
			t.Fatal(err)
		}
		merged, err := m.Merge()
		if err != nil {
			t.Fatal(err)
		}
		if err := model.OpenAdapter(merged, filepath.Join(from, "adapter-all")); err != nil {
			t.Fatal(err)
		}
		back, err := merged.Unmerge()
		if err != nil {
			t.Fatal(err)
		}
		base := bare(t, device(t, "cpu"), from)
		for i, p := range base.Params() {
			x, y := make([]float32, p.Len()), make([]float32, p.Len())
			if m.Device().Download(x, p.Value) != nil || m.Device().Download(y, back.Params()[i].Value) != nil {
				t.Fatal("no weights")
			}
			for j := range x {
				if math.Abs(float64(x[j]-y[j])) > 5e-7 {
					t.Fatalf("%s[%d] is %g; wanted %g", p.Name, j, y[j], x[j])
				}
			}
		}
		dora := bare(t, device(t, "cpu"), from)
		if err := model.OpenAdapter(dora, filepath.Join(from, "adapter-dora")); err != nil {
			t.Fatal(err)
		}
		if _, err := dora.Unmerge(); err == nil || !strings.Contains(err.Error(), "is DoRA") {
			t.Errorf("DoRA is taken out: %v", err)
		}
	}
}

// What quantising costs on SmolLM2: the loss of a text per token, and the memory of the linear weights. The numbers stand in
// the doc comment of Quantize.
func TestQuantLossOnSmolLM2(t *testing.T) {
	if os.Getenv("TUNEBOOK_LONG") == "" {
		t.Skip("TUNEBOOK_LONG is not set; this measures for about a minute")
	}
	path := filepath.Join(shared.Dir(t), "models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf")
	m, err := model.Open(device(t, "cpu"), path)
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, file := range []string{"../../README.md", "../../LICENSE"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, raw...)
	}
	ids := m.Tokenizer.Encode(string(text))
	ids = ids[:min(len(ids), 2048)]
	seq := data.Sequence{IDs: ids, Targets: append(slices.Clone(ids[1:]), backend.IgnoreIndex)}
	measure := func(m *model.Model, what string) float64 {
		nll, n, err := train.Loss(m, []data.Sequence{seq}, 4096)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: loss %.4f over %d tokens", what, nll/float64(n), n)
		return nll / float64(n)
	}
	base := measure(m, "float32 (of a Q4_1 file)")
	for _, q := range backend.Quants {
		packed, err := m.Quantize(q)
		if err != nil {
			t.Fatal(err)
		}
		if d := measure(packed, q.String()) - base; d > 0.5 {
			t.Errorf("%v: the loss rises by %.3f", q, d)
		}
	}
}

// Training over a quantised base goes through checkpoints: a run that was stopped ends in the bits of one that was not, with
// DoRA and recomputation too.
func TestQuantisedRunResumes(t *testing.T) {
	m, err := model.OpenFS(device(t, "cpu"), base.Files, base.Name, backend.NF4)
	if err != nil {
		t.Fatal(err)
	}
	var seqs []data.Sequence
	for i := range 12 {
		ids := m.Tokenizer.Encode("Mira lives in house number " + string(rune('a'+i)) + " by the river.")
		seqs = append(seqs, data.Sequence{IDs: ids, Targets: append(slices.Clone(ids[1:]), backend.IgnoreIndex), Row: i})
	}
	run := func(dir string, stopAt int) (string, error) {
		on := m.Share()
		tr, err := train.New(on, seqs, []string{"x"}, train.Config{LR: 0.01, Steps: 6, BatchSize: 4, Seed: 0, Dir: dir, Every: 2, Recompute: true,
			LoRA: model.LoRA{Rank: 2, DoRA: true}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		err = tr.Run(ctx, func(r train.Report) {
			if r.Step == stopAt {
				cancel()
			}
		})
		f, e := on.Fingerprint()
		if e != nil {
			t.Fatal(e)
		}
		return f, err
	}
	straight, err := run("", 0)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if _, err := run(dir, 3); err == nil {
		t.Fatal("the run was not stopped")
	}
	resumed, err := run(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if resumed != straight {
		t.Error("the resumed run ends in another model")
	}
}
