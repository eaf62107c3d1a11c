package eval

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"tunebook/engine/tensor"
)

// scored returns a score with these numbers of documents.
func scored(t *testing.T, perDoc []float64) Score {
	t.Helper()
	rows := make([]Row, len(perDoc))
	for i := range rows {
		rows[i] = Row{Prompt: fmt.Sprint(i), Answer: "x", Cleaned: fmt.Sprint(i)}
	}
	s, err := ScoreTexts(NewMetric("mine", "none", func(p, _ string) float64 {
		var i int
		fmt.Sscan(p, &i)
		return perDoc[i]
	}), rows, How{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// learned draws the scores of documents that are right with the probability of a power law plus the ease of the document.
func learned(rng *tensor.RNG, ease []float64, sizes []float64, limit, scale, exponent float64) [][]float64 {
	var out [][]float64
	for _, n := range sizes {
		row := make([]float64, len(ease))
		for i, e := range ease {
			row[i] = truth(rng.Float64() < limit-scale*math.Pow(n, -exponent)+e)
		}
		out = append(out, row)
	}
	return out
}

func TestCurveFindsTheLaw(t *testing.T) {
	sizes := []float64{50, 100, 200, 400, 800, 1600}
	for _, want := range []law{{0.8, 2, 0.5}, {0.6, 1.2, 0.3}, {0.9, 30, 1}} {
		var points []CurvePoint
		for _, n := range sizes {
			points = append(points, CurvePoint{n, scored(t, []float64{want.at(n), want.at(n)})})
		}
		c, err := FitCurve(points)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []float64{50, 300, 1600} {
			if got, _, _ := c.At(n); math.Abs(got-want.at(n)) > 0.002 {
				t.Errorf("%+v at %v: %v; wanted %v (%v)", want, n, got, want.at(n), c)
			}
		}
		if math.Abs(c.Exponent-want.exponent) > 0.06*want.exponent {
			t.Errorf("exponent %v; wanted %v", c.Exponent, want.exponent)
		}
	}
}

// The interval of the curve at a size, and of what a mix is worth, must hold the truth as often as they say.
func TestCurveCovers(t *testing.T) {
	sizes := []float64{50, 100, 200, 400, 800}
	sets, docs := 20, 60
	if os.Getenv("TUNEBOOK_LONG") != "" {
		sets, docs = 200, 150
	}
	alone, mixed := law{0.75, 2.2, 0.5}, law{0.75, 1.4, 0.5}
	worth := alone.crossing(mixed.at(150), 50, 800)
	at, read := 0, 0
	for k := range sets {
		rng := tensor.NewRNG(int64(k), "test/curve")
		ease := make([]float64, docs)
		for i := range ease {
			ease[i] = 0.1 * rng.Norm()
		}
		lists := [2][]CurvePoint{}
		for side, l := range []law{alone, mixed} {
			for i, row := range learned(rng, ease, sizes, l.limit, l.scale, l.exponent) {
				lists[side] = append(lists[side], CurvePoint{sizes[i], scored(t, row)})
			}
		}
		c, err := FitCurve(lists[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, lo, hi := c.At(300); lo <= alone.at(300) && alone.at(300) <= hi {
			at++
		}
		e, err := Worth(lists[0], lists[1], 150)
		if err != nil {
			t.Fatal(err)
		}
		if e.Lo <= worth && worth <= e.Hi {
			read++
		}
	}
	t.Logf("of %d studies, %d intervals hold the curve at 300, %d what 150 examples are worth (%.0f)", sets, at, read, worth)
	// Three standard deviations below 95 %.
	least := int(0.95*float64(sets) - 3*math.Sqrt(0.95*0.05*float64(sets)))
	if at < least || read < least {
		t.Errorf("%d and %d of %d intervals hold the truth; wanted at least %d", at, read, sets, least)
	}
}

func TestWorthSaysItsBoundsAndSentences(t *testing.T) {
	sizes := []float64{100, 200, 400, 800}
	curve := func(l law) []CurvePoint {
		var p []CurvePoint
		for _, n := range sizes {
			p = append(p, CurvePoint{n, scored(t, []float64{l.at(n), l.at(n), l.at(n)})})
		}
		return p
	}
	alone := law{0.8, 3, 0.5}
	for want, mixed := range map[string]law{
		"200 specialist examples in the mix score as 200 alone": {0.8, 3, 0.5},
		"score as 800 or more alone":                            {0.9, 0.5, 0.5},
		"score as 100 or fewer alone":                           {0.4, 0.5, 0.5},
		": the mix is worth 2":                                  {0.8, 3 / math.Sqrt2, 0.5},
		": the mix costs ":                                      {0.8, 3 * 1.2, 0.5},
	} {
		e, err := Worth(curve(alone), curve(mixed), 200)
		if err != nil || !strings.Contains(e.String(), want) {
			t.Errorf("%v (%v); wanted %q", e, err, want)
		}
	}
	if _, err := Worth(curve(alone), curve(alone), 90); err == nil {
		t.Error("a size outside the mix was read")
	}
}

func TestCurveRefuses(t *testing.T) {
	s := scored(t, []float64{0.1, 0.2})
	other := s
	other.How.Template = "chatml"
	var un *Unlike
	if _, err := FitCurve([]CurvePoint{{10, s}, {20, other}}); !errors.As(err, &un) {
		t.Error(err)
	}
	for want, points := range map[string][]CurvePoint{
		"1 point": {{10, s}}, "at 0 examples": {{0, s}, {1, s}}, "two points at 10": {{10, s}, {10, s}}, "without a score": {{10, Score{}}, {20, s}},
	} {
		if _, err := FitCurve(points); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; wanted %q", err, want)
		}
	}
	c, err := FitCurve([]CurvePoint{{10, s}, {20, s}})
	if err != nil || len(c.Notes) == 0 || !strings.HasPrefix(c.Notes[0], "2 sizes: the limit is fixed at 100.0") {
		t.Error(c.Notes, err)
	}
}
