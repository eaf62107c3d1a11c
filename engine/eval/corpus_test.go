package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

// labelled draws rows of three labels of unequal frequency that are right with the given probability.
func labelled(rng *tensor.RNG, n int, right float64) []Row {
	rows := make([]Row, n)
	for i := range rows {
		gold := []string{"a", "a", "a", "b", "b", "c"}[rng.Intn(6)]
		said := gold
		if rng.Float64() > right {
			said = []string{"a", "b", "c"}[rng.Intn(3)]
		}
		rows[i] = Row{Prompt: fmt.Sprint(i), Answer: gold, Cleaned: said}
	}
	return rows
}

// Intervals of metrics that are no means must hold the truth as often as they say: here macro F1, whose true value comes
// from a data set of 200,000.
func TestCorpusIntervalsCover(t *testing.T) {
	m := find(t, "macro-f1")
	big := m.tallies(labelled(tensor.NewRNG(0, "test/corpus/truth"), 200_000, 0.6))
	want := m.value(total(big, sizeOf(big)))
	const sets = 150
	hit := 0
	for k := range sets {
		counts := m.tallies(labelled(tensor.NewRNG(int64(k), "test/corpus"), 120, 0.6))
		perDoc := make([]float64, len(counts))
		for i := range perDoc {
			perDoc[i] = float64(i % 2)
		}
		e := estimate{centre: m.value(total(counts, sizeOf(counts))), perDoc: perDoc, terms: terms([]Seed{{Counts: counts}}, 1), value: m.value, highest: 1, resamples: 1000}
		if b := e.interval(0.95); b.lo <= want && want <= b.hi {
			hit++
		}
	}
	t.Logf("%d of %d intervals hold the true macro F1 %.4f", hit, sets, want)
	if hit < 134 { // 142.5 wanted, standard deviation 2.7
		t.Errorf("%d of %d intervals hold the truth; wanted at least 134", hit, sets)
	}
}

func TestCorpusScoresCombineComparePersist(t *testing.T) {
	how := func(seed int64) How { return How{TestSet: "t", Seeds: []int64{seed}} }
	side := func(right float64, seed int64) Score {
		rows := labelled(tensor.NewRNG(7, "test/documents"), 200, 1)
		rng := tensor.NewRNG(seed, fmt.Sprint(right))
		for i := range rows {
			if rng.Float64() > right {
				rows[i].Cleaned = []string{"a", "b", "c"}[rng.Intn(3)]
			}
		}
		s, err := ScoreTexts(find(t, "macro-f1"), rows, how(seed))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var weak, strong []Score
	for seed := range int64(3) {
		weak, strong = append(weak, side(0.5, seed)), append(strong, side(0.8, seed))
	}
	a, err := Combine(weak)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Combine(strong)
	if err != nil {
		t.Fatal(err)
	}
	if want := (weak[0].Mean + weak[1].Mean + weak[2].Mean) / 3; math.Abs(a.Mean-want) > 1e-12 || a.Lo >= a.Mean || a.Hi <= a.Mean {
		t.Errorf("combined %v (%v to %v); the seeds' mean is %v", a.Mean, a.Lo, a.Hi, want)
	}
	d, err := Paired(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(d.Mean-(b.Mean-a.Mean)) > 1e-12 || d.Lo <= 0 || d.Test != "approximate randomisation" || d.TestP > 0.01 {
		t.Errorf("%v, %s p %v", d, d.Test, d.TestP)
	}
	same, err := Paired(weak[0], weak[0])
	if err != nil || same.Mean != 0 || same.TestP != 1 {
		t.Errorf("with itself: %v, p %v, %v", same, same.TestP, err)
	}
	// A score that was kept in a file is the same score.
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var back Score
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if x, y := a.At(0.8), back.At(0.8); x.Lo != y.Lo || x.Hi != y.Hi || x.Lo <= a.Lo {
		t.Errorf("%v to %v; from a file %v to %v", x.Lo, x.Hi, y.Lo, y.Hi)
	}
}

func TestLikelihoodMetrics(t *testing.T) {
	rows := []Row{
		{Answer: "ab cd", Options: []Option{{Text: "ab cd", LogProb: -4, Tokens: 2}}},
		{Answer: "é", Options: []Option{{Text: "é", LogProb: -1, Tokens: 1}}},
	}
	for name, want := range map[string]float64{
		"perplexity": math.Exp(5.0 / 3), "nats-per-token": 5.0 / 3, "word-perplexity": math.Exp(5.0 / 3),
		"byte-perplexity": math.Exp(5.0 / 7), "bits-per-byte": 5.0 / 7 / math.Ln2,
	} {
		s := score(t, name, rows)
		if math.Abs(s.Mean-want) > 1e-12 || !s.LowerBetter || s.Text(s.Mean) != fmt.Sprintf("%.3f", want) {
			t.Errorf("%s = %v, printed %q; wanted %v", name, s.Mean, s.Text(s.Mean), want)
		}
	}
	a, _ := ScoreTexts(find(t, "perplexity"), rows, How{Tokenizer: "x"})
	b, _ := ScoreTexts(find(t, "perplexity"), rows, How{Tokenizer: "y"})
	if _, err := Paired(a, b); err == nil || !strings.Contains(err.Error(), "tokenizer: x, y") {
		t.Errorf("perplexities of two tokenizers were compared: %v", err)
	}
	a, _ = ScoreTexts(find(t, "bits-per-byte"), rows, How{Tokenizer: "x"})
	b, _ = ScoreTexts(find(t, "bits-per-byte"), rows, How{Tokenizer: "y"})
	if _, err := Paired(a, b); err != nil {
		t.Error(err)
	}
	if _, err := ScoreTexts(find(t, "bits-per-byte"), []Row{{Answer: "x"}}, How{}); err == nil {
		t.Error("a row without a log-likelihood was scored")
	}
}

func TestChoiceNorms(t *testing.T) {
	r := Row{Answer: "éé", Options: []Option{
		{Text: "a", LogProb: -3, Unconditional: -1},      // none: -3, length -3, bytes -3, unconditional -2
		{Text: "éé", LogProb: -5, Unconditional: -6},     // none: -5, length -2.5, bytes -1.25, unconditional 1
		{Text: "abcd", LogProb: -7, Unconditional: -6.5}, // none: -7, length -1.75, bytes -1.75, unconditional -0.5
	}}
	for norm, want := range map[Norm]int{NormNone: 0, NormLength: 2, NormBytes: 1, NormUnconditional: 1} {
		if got, err := norm.Choose(r.Options); got != want || err != nil {
			t.Errorf("%q chooses %d (%v); wanted %d", norm, got, err, want)
		}
		if got := Choice(norm).Name; find(t, got).Name != got {
			t.Errorf("%q is not read back", got)
		}
		if got := score(t, "choice-"+string(norm), []Row{r}).Mean; got != truth(want == 1) {
			t.Errorf("%q scores %v", norm, got)
		}
	}
	if got, _ := NormNone.Choose([]Option{{LogProb: -1}, {LogProb: -1}}); got != 0 {
		t.Error("equals: not the first")
	}
	for _, bad := range [][]Option{nil, {{Text: "a", LogProb: math.NaN()}}, {{Text: "", LogProb: -1}}} {
		if _, err := NormLength.Choose(bad); err == nil {
			t.Errorf("%v was chosen from", bad)
		}
	}
}

func TestAdjustedPValuesAndMcNemarEqualStatsmodels(t *testing.T) {
	var g struct {
		P, Holm []float64
		BH      []float64 `json:"benjamini-hochberg"`
		McNemar [][3]float64
	}
	readJSON(t, "testdata/statistics.json", &g)
	p := append([]float64{math.NaN()}, g.P...)
	holm, bh := Holm(p), BenjaminiHochberg(p)
	if !math.IsNaN(holm[0]) || !math.IsNaN(bh[0]) {
		t.Error("a comparison that was not made got a p-value")
	}
	for i := range g.P {
		if !close9(holm[i+1], g.Holm[i]) || !close9(bh[i+1], g.BH[i]) {
			t.Errorf("p %v: Holm %v, statsmodels %v; Benjamini-Hochberg %v, statsmodels %v", g.P[i], holm[i+1], g.Holm[i], bh[i+1], g.BH[i])
		}
	}
	for _, m := range g.McNemar {
		if got := mcNemar(int(m[0]), int(m[1])); !close9(got, m[2]) {
			t.Errorf("McNemar %v to %v: %v; scipy %v", m[0], m[1], got, m[2])
		}
	}
}

func TestCleaners(t *testing.T) {
	for _, c := range []struct{ cleaner, raw, want string }{
		{"trim", " a b\n", "a b"},
		{"first-line", "\n\n a \nb", "a"},
		{"bbh", "First the answer is (A). So the answer is (B).", "(B)"},
		{"bbh", " valid \n", "valid"},
		{"gsm8k", "3 + 4\n#### 1,234", "1234"},
		{"gsm8k", "A: for (A: 3)\nA: -7.5.", "-7.5"},
		{"gsm8k", "no mark 7", ""},
		{"last-number", "3 ducks for $1,200.", "1200"},
		{"last-number", "x = -4, or so", "-4"},
		{"last-number", "none", ""},
		{"letter", "The answer is (c).", "(C)"},
		{"letter", "B. because", "(B)"},
		{"letter", "A dog", ""}, {"letter", "d", "(D)"},
		{"letter", "Nothing", ""},
	} {
		clean, err := FindCleaner(c.cleaner)
		if err != nil {
			t.Fatal(err)
		}
		if got := clean.Clean(c.raw); got != c.want {
			t.Errorf("%s(%q) = %q; wanted %q", c.cleaner, c.raw, got, c.want)
		}
	}
	if _, err := FindCleaner("nothing"); err == nil {
		t.Error("an unknown cleaner was found")
	}
}
