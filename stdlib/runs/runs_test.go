package runs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"tunebook/stdlib/data"
	"tunebook/stdlib/model"
	"tunebook/stdlib/runs"
	"tunebook/stdlib/stop"
	"tunebook/stdlib/train"
)

func TestRuns(t *testing.T) {
	t.Setenv("TUNEBOOK_STORE", filepath.Join(t.TempDir(), "store"))
	stopped := func(f func()) (msg string) {
		t.Helper()
		defer func() {
			e, ok := recover().(*stop.Error)
			if !ok {
				t.Fatal("the cell was not stopped by a *stop.Error")
			}
			msg = e.Error()
		}()
		f()
		return ""
	}
	if msg := stopped(func() { runs.All() }); !strings.Contains(msg, "there is no store at") {
		t.Error(msg)
	}
	base := model.New(model.Config{HiddenSize: 8, IntermediateSize: 16, NumHiddenLayers: 1, NumAttentionHeads: 1, NumKeyValueHeads: 1,
		MaxPositionEmbeddings: 64, RMSNormEps: 1e-5, RopeTheta: 10000, TieWordEmbeddings: true},
		model.TrainTokenizer([]string{"who barks a dog who purrs a cat"}, 262), 1)
	set := data.New("<b>pets</b>", []data.Example{{Prompt: "who barks", Answer: "a dog"}, {Prompt: "who purrs", Answer: "a cat"}})
	a := train.Run(base, set, train.Config{LR: 1e-2, Steps: 3, Quiet: true, Sample: []string{"<i>who</i>"}, SampleMax: 2})
	b := train.Run(base, set, train.Config{LR: 2e-2, Steps: 3, Quiet: true, LoRA: 2})
	all := runs.All()
	if len(all) != 2 || all[0].ID != a.ID || all[1].ID != b.ID || !strings.Contains(all.String(), "2 runs") {
		t.Fatalf("%v", all)
	}
	r := runs.Find(a.ID[:6])
	if x, y := r.Curve("loss"); len(x) != 3 || y[2] != a.Log[2].Loss || x[2] != 3 {
		t.Errorf("%v %v", x, y)
	}
	if msg := stopped(func() { r.Curve("bleu") }); !strings.Contains(msg, "it has gradient norm, learning rate, loss") {
		t.Error(msg)
	}
	text, html := r.Show()
	for _, want := range []string{"completed, 3 steps", "base weights", "LR", "0.01", "seconds", "sample at step 3", "machine"} {
		if !strings.Contains(text, want) || !strings.Contains(html, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	cmp := runs.Compare(all...)
	text2, html2 := cmp.Show()
	for _, want := range []string{"inputs that differ", "LoRA.Rank", "metrics at the end", "gradient norm", "settings are the same"} {
		if !strings.Contains(text2, want) || !strings.Contains(html2, want) {
			t.Errorf("%q is not in\n%s", want, text2)
		}
	}
	if !strings.Contains(text2, "⣀") && !strings.Contains(text2, "●") {
		t.Errorf("no curve in\n%s", text2)
	}
	for _, h := range []string{html, html2} {
		if strings.Contains(h, "<b>pets") || strings.Contains(h, "<i>who") {
			t.Error("hostile text is markup")
		}
	}
	cmp.Metric = "nothing"
	if _, h := cmp.Show(); !strings.Contains(h, "no run has the metric nothing") {
		t.Error(h)
	}
	if msg := stopped(func() { runs.Compare(r) }); !strings.Contains(msg, "two or more") {
		t.Error(msg)
	}
	t.Setenv("TUNEBOOK_STORE", "off")
	if msg := stopped(func() { runs.All() }); !strings.Contains(msg, "no runs are kept here") {
		t.Error(msg)
	}
}
