package bench

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tunebook/engine/backend"
	_ "tunebook/engine/backend/cpu"
	"tunebook/engine/internal/shared"
	"tunebook/engine/model"
	"tunebook/engine/model/base"
	"tunebook/engine/train"
)

var machine = Machine{Threads: 2,
	Peaks: []PeakRate{{"float32 AVX2", 50, 90}, {"float32 AVX-512", 60, 100}, {"bf16 VDPBF16PS", 110, 200}, {"int8 VPDPBUSD", 220, 400}},
	Reads: []Bandwidth{{1000, 80}, {100000, 20}, {10000000, 5}}}

// TestPossible holds the roofline's two sides and its choice of bandwidth on a made-up machine.
func TestPossible(t *testing.T) {
	for _, c := range []struct {
		flops, bytes float64
		bf16         bool
		want         float64
	}{
		{1e9, 4, false, 1e-2},       // arithmetic
		{1e9, 4, true, 5e-3},        // with pairs of bf16
		{0, 500, false, 500 / 80e9}, // less than the smallest size that was measured
		{0, 1000, false, 1000 / 80e9},
		{0, 99999, false, 99999 / 80e9}, // just less than the second
		{0, 1e6, false, 1e6 / 20e9},
		{0, 1e9, false, 0.2}, // beyond the largest
		{1e9, 1e9, false, 0.2},
	} {
		if got := machine.Possible(c.flops, c.bytes, c.bytes, c.bf16); math.Abs(got-c.want) > 1e-12*c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if got, want := machine.Possible(0, 1e6, 1e3, false), 1e6/80e9; got != want {
		t.Errorf("a megabyte out of a kilobyte: %v; wanted %v", got, want)
	}
	if got := (Machine{}).Possible(1e9, 1e9, 1e9, true); got != 0 {
		t.Errorf("a machine that was not measured: %v; wanted 0", got)
	}
}

func TestShare(t *testing.T) {
	shares, rates := share(map[string]time.Duration{backend.Products: 6 * time.Second, backend.Optimizer: time.Second},
		map[string]float64{backend.Products: 12e9}, 10*time.Second)
	if shares[backend.Products] != 0.6 || shares[backend.Optimizer] != 0.1 || math.Abs(shares["rest"]-0.3) > 1e-12 {
		t.Errorf("shares %v", shares)
	}
	if len(rates) != 1 || rates[backend.Products] != 2 {
		t.Errorf("rates %v; wanted 2 GFLOP/s of products alone", rates)
	}
}

// TestMeasure does every piece of work of a small bench as a child would and looks at what comes out.
func TestMeasure(t *testing.T) {
	texts, err := ReadTexts("")
	if err != nil {
		t.Fatal(err)
	}
	all := Works("cpu", texts, true)
	all = append(all, Named{"run", PartSteps, Work{Do: Run, Model: "base", Device: "cpu", Rows: Rows{texts.Ragged.IDs[:16], texts.Ragged.Labels[:16]}}},
		Named{"int8", PartSteps, Work{Do: Steps, Model: "base", Device: "cpu", Quant: "q8_0", LoRA: 4, Rows: RandomRows(2, 8, 256, 1), Steps: 1}})
	for _, n := range all {
		in, err := json.Marshal(n.Work)
		if err != nil {
			t.Fatal(err)
		}
		line, err := Child(context.Background(), in)
		if err != nil {
			t.Errorf("%s: %v", n.Name, err)
			continue
		}
		var r Result
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		switch n.Work.Do {
		case Kernels:
			for _, k := range r.Kernels {
				if !(k.Seconds > 0) || k.Bytes <= 0 || k.Share <= 0 && len(r.Machine.Peaks) > 0 {
					t.Errorf("%+v", k)
				}
			}
			if len(r.Kernels) != len(cases(smallGeometry)) {
				t.Errorf("%d kernels; wanted %d", len(r.Kernels), len(cases(smallGeometry)))
			}
		case Steps:
			sum := 0.0
			for _, s := range r.Shares {
				sum += s
			}
			if n.Work.Shares && math.Abs(sum-1) > 1e-9 {
				t.Errorf("%s: the shares add up to %v", n.Name, sum)
			}
			if len(r.Loss) != 2 || !(r.Loss[1] < r.Loss[0]) || !(r.Median > 0) || !(r.FirstStep > r.SetUp) {
				t.Errorf("%s: %+v", n.Name, r)
			}
		case Run, Likelihood:
			if !(r.Rows > 0) {
				t.Errorf("%s: %+v", n.Name, r)
			}
		case Generation:
			if n.Work.Reps > 0 && !(r.DecodeMed > 0) || !(r.FirstStep > 0) {
				t.Errorf("%s: %+v", n.Name, r)
			}
		}
	}
	for _, bad := range []string{`{`, `{"Do":"dance","Device":"cpu","Model":"base","Rows":{"ids":[[1]]}}`, `{"Do":"steps","Device":"cpu","Model":"base"}`, `{"Do":"steps","Device":"abacus"}`,
		`{"Do":"steps","Device":"cpu","Model":"base","Quant":"q9","Rows":{"ids":[[1]]}}`} {
		if _, err := Child(context.Background(), []byte(bad)); err == nil {
			t.Errorf("%s was done", bad)
		}
	}
}

// TestTexts looks at the rows of both kinds: every row has something to learn, every choice something to score.
func TestTexts(t *testing.T) {
	folders := []string{"", shared.Dir(t)}
	for _, folder := range folders {
		texts, err := ReadTexts(folder)
		if err != nil {
			t.Fatal(err)
		}
		if (texts.Tokenizer != "") != (folder != "") {
			t.Errorf("%q: tokenizer %q", folder, texts.Tokenizer)
		}
		if len(texts.Ragged.IDs) != raggedRows || len(texts.Questions) != questions || len(texts.Choices.IDs) != 4*questions {
			t.Errorf("%s", texts.What)
		}
		for _, q := range texts.Questions {
			if !slices.Contains(q.Choices, q.Answer) || len(q.Choices) != 4 {
				t.Errorf("%q is the answer, %q are the choices", q.Answer, q.Choices)
			}
		}
		for _, rows := range []Rows{texts.Ragged, texts.Choices} {
			for i, ids := range rows.IDs {
				labelled := 0
				for j, l := range rows.Labels[i] {
					if l != backend.IgnoreIndex {
						labelled++
						if l != ids[j] {
							t.Fatalf("row %d, position %d: label %d of id %d", i, j, l, ids[j])
						}
					}
				}
				if len(ids) != len(rows.Labels[i]) || labelled == 0 || labelled == len(ids) || len(ids) > maxRow {
					t.Errorf("row %d: %d ids, %d labels, %d of them count", i, len(ids), len(rows.Labels[i]), labelled)
				}
			}
		}
		t.Log(texts.What)
	}
}

// TestSameTokens scores the questions as an evaluation does and the rows that other programs get: the same tokens, so the same sum.
func TestSameTokens(t *testing.T) {
	texts, err := ReadTexts("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Work{Do: Likelihood, Model: "base", Device: "cpu", Questions: texts.Questions, Reps: 1}.Measure(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	dev, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.OpenFS(dev, base.Files, base.Name)
	if err != nil {
		t.Fatal(err)
	}
	nll, _, err := train.Loss(m, texts.Choices.sequences(), 4096)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(nll-r.Loss[0]) > 1e-4*nll {
		t.Errorf("the evaluation sums to %v, the rows to %v", r.Loss[0], nll)
	}
}

// TestComparisons looks for what every comparison needs before hours of it run: names of their own, and scripts that exist.
func TestComparisons(t *testing.T) {
	r := &Runner{Scripts: shared.Dir(t) + "/peers"}
	seen := map[string]bool{}
	for _, c := range Comparisons(Settings{Models: "m", Threads: 2, Steps: 2}) {
		if seen[c.Name] || c.Goal <= 1 || Figures[c.Figure] == nil || units[c.Figure] == "" || len(c.Peers) == 0 || c.Ours.Work == nil {
			t.Errorf("%+v", c)
		}
		seen[c.Name] = true
		for _, p := range c.Peers {
			if p.Work != nil {
				continue
			}
			if _, err := r.place(t.TempDir(), p.Script); err != nil {
				t.Error(err)
			}
			if strings.Contains(strings.Join(p.Args, " "), "  ") {
				t.Errorf("%s: arguments %q", p.Name, p.Args)
			}
		}
	}
}
