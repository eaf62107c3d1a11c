package eval

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

// texts scores n documents of which every k-th answer of right is right.
func texts(t *testing.T, how How, right func(i int) bool, n int) Score {
	t.Helper()
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = Row{Prompt: fmt.Sprint(i), Answer: "yes", Cleaned: "no"}
		if right(i) {
			rows[i].Cleaned = "yes"
		}
	}
	s, err := ScoreTexts(ExactMatch(), rows, how)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScoreTexts(t *testing.T) {
	s := texts(t, How{Model: "m", Seeds: []int64{0}}, func(i int) bool { return i%4 != 0 }, 200)
	if s.Mean != 0.75 || s.N != 200 || s.Level != 0.95 || s.Rows[1].Score != 1 || s.Rows[0].Score != 0 {
		t.Errorf("score %+v", s)
	}
	// A binomial share of 0.75 from 200 documents: 0.75 ± 1.96·0.0306.
	if math.Abs(s.Lo-0.69) > 0.01 || math.Abs(s.Hi-0.81) > 0.01 {
		t.Errorf("interval %v to %v; wanted about 0.69 to 0.81", s.Lo, s.Hi)
	}
	if got := s.String(); got != "exact match 75.0 (95 % 69.0 to 81.0), 200 documents, 1 seed" && !strings.HasPrefix(got, "exact match 75.0 (95 % 6") {
		t.Errorf("%s", got)
	}
	if again := texts(t, How{Model: "m", Seeds: []int64{0}}, func(i int) bool { return i%4 != 0 }, 200); !reflect.DeepEqual(s, again) {
		t.Error("the same rows gave another score")
	}
	if !s.Seeds[0].Known || s.Seeds[0].Seed != 0 {
		t.Error("seed 0 was taken for no seed")
	}
}

func TestRowsThatCannotBeScoredAreNamed(t *testing.T) {
	rows := make([]Row, 14)
	for i := range rows {
		rows[i] = Row{Cleaned: "x"}
	}
	rows[3].Answer = "x"
	_, err := ScoreTexts(RougeL(), rows, How{})
	var bad *RowsError
	if !errors.As(err, &bad) || len(bad.Bad) != 10 || bad.More != 3 {
		t.Fatalf("%v", err)
	}
	if want := "eval: 13 of 14 rows cannot be scored: row 0: no reference answer"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v; wanted %q …", err, want)
	}
	nan := NewMetric("mine", "none", func(p, r string) float64 { return math.NaN() })
	if _, err := ScoreTexts(nan, rows[3:4], How{}); err != nil {
		t.Logf("NaN: %v", err)
	} else {
		t.Error("a NaN passed as a score")
	}
	if _, err := ScoreTexts(RougeL(), nil, How{}); err == nil {
		t.Error("0 rows were scored")
	}
	if _, err := ScoreTexts(Metric{}, rows, How{}); err == nil {
		t.Error("the zero metric scored")
	}
}

func TestStudentQuantile(t *testing.T) {
	// Tables of Student's t at 0.975.
	for df, want := range map[float64]float64{1: 12.7062, 2: 4.30265, 3: 3.18245, 9: 2.26216, 29: 2.04523, 299: 1.96793, 9999: 1.96020} {
		if got := studentQuantile(0.975, df); math.Abs(got-want) > 1e-4*want {
			t.Errorf("t(%v) = %v; wanted %v", df, got, want)
		}
	}
}

// coverage draws data sets of a known mean and counts how often the interval holds it.
func coverage(sets int, draw func(rng *tensor.RNG) (values []float64, sides [][]float64), truth float64) float64 {
	hit := 0
	for i := range sets {
		values, sides := draw(tensor.NewRNG(int64(i), "test/coverage"))
		if b := (estimate{centre: mean(values), perDoc: values, lowest: -10, highest: 10, resamples: 1000}).interval(0.95, sides...); b.lo <= truth && truth <= b.hi {
			hit++
		}
	}
	return float64(hit) / float64(sets)
}

// Documents and seeds vary; every seed adds its own noise to every document. The true mean is 0.5.
func crossed(docs, seeds int, sdDoc, sdSeed, sdBoth float64) func(rng *tensor.RNG) ([]float64, [][]float64) {
	return func(rng *tensor.RNG) ([]float64, [][]float64) {
		values, means := make([]float64, docs), make([]float64, seeds)
		level := make([]float64, seeds)
		for s := range level {
			level[s] = sdSeed * rng.Norm()
		}
		for i := range values {
			doc := 0.5 + sdDoc*rng.Norm()
			for s := range level {
				v := doc + level[s] + sdBoth*rng.Norm()
				values[i] += v / float64(seeds)
				means[s] += v / float64(docs)
			}
		}
		return values, [][]float64{means}
	}
}

func TestIntervalsCoverTheTruth(t *testing.T) {
	sets := 400
	if testing.Short() {
		sets = 100
	}
	coin := func(n int, p float64) func(rng *tensor.RNG) ([]float64, [][]float64) {
		return func(rng *tensor.RNG) ([]float64, [][]float64) {
			v := make([]float64, n)
			for i := range v {
				v[i] = truth(rng.Float64() < p)
			}
			return v, nil
		}
	}
	for _, c := range []struct {
		name     string
		draw     func(rng *tensor.RNG) ([]float64, [][]float64)
		truth    float64
		low, top float64
	}{
		{"100 documents, half right", coin(100, 0.5), 0.5, 0.93, 0.97},
		{"20 documents, half right", coin(20, 0.5), 0.5, 0.92, 0.98},
		{"300 documents, 0.9 right", coin(300, 0.9), 0.9, 0.925, 0.97},
		{"normal, 10 documents", crossed(10, 1, 0.3, 0, 0), 0.5, 0.92, 0.975},
		{"3 seeds that matter little", crossed(100, 3, 0.4, 0, 0.2), 0.5, 0.93, 0.99},
		{"3 seeds that matter as much as documents", crossed(100, 3, 0.3, 0.05, 0.2), 0.5, 0.93, 0.995},
		{"3 seeds that matter most", crossed(100, 3, 0.1, 0.1, 0.1), 0.5, 0.92, 0.98},
		{"5 seeds that matter most", crossed(100, 5, 0.1, 0.1, 0.1), 0.5, 0.92, 0.98},
		{"2 seeds that matter most", crossed(100, 2, 0.1, 0.1, 0.1), 0.5, 0.85, 0.98},
	} {
		slack := 3 * math.Sqrt(0.05*0.95/float64(sets))
		got := coverage(sets, c.draw, c.truth)
		t.Logf("%-45s %.3f", c.name, got)
		if got < c.low-slack || got > c.top+slack {
			t.Errorf("%s: the 95 %% interval held the truth in %.3f of %d sets; wanted %.3f to %.3f", c.name, got, sets, c.low, c.top)
		}
	}
}

func TestAllRightIsNotCertain(t *testing.T) {
	s := texts(t, How{}, func(int) bool { return true }, 30)
	if s.Hi != 1 || math.Abs(s.Lo-math.Pow(0.025, 1.0/30)) > 1e-12 {
		t.Errorf("30 of 30 right: %v to %v; wanted 0.884 to 1", s.Lo, s.Hi)
	}
	if lo, hi, err := Interval([]float64{0.5}, 0.95, 0, 1); err != nil || lo > 0.02 || hi < 0.98 {
		t.Errorf("one document: %v to %v, %v; wanted nearly everything", lo, hi, err)
	}
}

func TestCombine(t *testing.T) {
	var scores []Score
	for seed := range int64(3) {
		scores = append(scores, texts(t, How{Model: "m", Seeds: []int64{seed}}, func(i int) bool { return i%10 >= int(seed) }, 100))
	}
	c, err := Combine(scores)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(c.Mean-0.9) > 1e-12 || len(c.Seeds) != 3 || !reflect.DeepEqual(c.How.Seeds, []int64{0, 1, 2}) || c.How.Model != "m" {
		t.Errorf("%+v", c.How)
	}
	one := scores[1]
	if c.Hi-c.Lo <= one.Hi-one.Lo {
		t.Errorf("seeds of 1.0, 0.9 and 0.8 gave %v to %v, no wider than one seed's %v to %v", c.Lo, c.Hi, one.Lo, one.Hi)
	}
	if six, err := Combine([]Score{c, c}); err != nil || six.Runs() != "6 runs of 3 seeds" || c.Runs() != "3 seeds" || six.Mean != c.Mean {
		t.Errorf("%s, %v", six, err)
	}
	if _, err := Combine(nil); err == nil {
		t.Error("nothing was combined")
	}
	other := texts(t, How{Shots: 2}, func(int) bool { return true }, 100)
	var un *Unlike
	if _, err := Combine([]Score{one, other}); !errors.As(err, &un) || un.Differences[0] != "shots: 0, 2" {
		t.Errorf("%v", err)
	}
}
