package chart

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/mattn/go-runewidth"

	"tunebook/engine/tensor"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/stop"
	"tunebook/stdlib/study"
)

func normal(name string, n int, mean, sd float64, seed int64) Sample {
	r := tensor.NewRNG(seed, "test/sample")
	s := Sample{Name: name}
	for range n {
		s.Values = append(s.Values, mean+sd*r.Norm())
	}
	return s
}

// transfer is a study of what was trained on by what was asked, with a failed point.
func transfer() *study.Study {
	st := study.New("Transfer between tasks")
	tasks := []string{"sentiment", "entailment", "summaries", "arithmetic"}
	for i, on := range tasks {
		for j, asked := range tasks {
			row := study.Row{"trained on": on, "asked": asked, "seed": 1, "score": scored(0.3+0.5*math.Exp(-math.Abs(float64(i-j))), 1)}
			if i == 3 && j == 0 {
				row["score"] = study.Failed("no supervised token")
			}
			st.Add(row)
		}
	}
	return st
}

func labelled() eval.Score {
	rows := make([]eval.Row, 60)
	names := []string{"card lost", "card <b>arrival</b>", "top up failed"}
	for i := range rows {
		rows[i] = eval.Row{Prompt: fmt.Sprint(i), Answer: names[i%3], Cleaned: names[(i+i/25)%3]}
	}
	rows[7].Cleaned = "what?"
	return eval.Rows(eval.Find("accuracy"), rows, eval.How{})
}

// gallery is one of every kind, some with what must not hurt them.
var gallery = sync.OnceValue(func() []*Chart {
	many := Points{Name: "100,000 points"}
	r := tensor.NewRNG(1, "test/many")
	for range 100_000 {
		x := r.Norm()
		many.X, many.Y = append(many.X, x), append(many.Y, x+0.5*r.Norm())
	}
	long := make([]float64, 100_000)
	for i := range long {
		long[i] = math.Sin(float64(i)/5000) + 0.1*r.Norm()
	}
	gaps := normal("with gaps", 80, 3, 1, 3)
	gaps.Values[3], gaps.Values[9] = math.NaN(), math.Inf(1)
	a, b := scored(0.4, 1), scored(0.6, 1)
	attention := make([][]float64, 6)
	for i := range attention {
		attention[i] = make([]float64, 6)
		for j := range attention[i] {
			if j <= i {
				attention[i][j] = 1 / float64(i+1)
			}
		}
	}
	wide := Matrix{Title: "Fourteen tasks", RowName: "trained on", ColumnName: "asked", Decimals: 0, Diverging: true}
	for i := range 14 {
		wide.Rows = append(wide.Rows, fmt.Sprintf("task%03d_a_name_of_some_length", i))
		wide.Columns = append(wide.Columns, fmt.Sprintf("task%03d_a_name_of_some_length", i))
		line := make([]float64, 14)
		for j := range line {
			line[j] = 30*math.Sin(float64(i*j)) - 3
		}
		wide.Values = append(wide.Values, line)
	}
	wide.Values[2][3] = math.NaN()
	return []*Chart{
		Boxes("Lengths of answers", "mix", "tokens", normal("specialist only", 200, 20, 5, 1), normal("with generalist data", 200, 26, 9, 2), gaps, Sample{Name: "one", Values: []float64{12}}),
		Violins("Scores by mix", "mix", "ROUGE-L", normal("specialist only", 200, 20, 5, 1), normal("with generalist data", 200, 26, 9, 2), gaps, Sample{Name: "one value", Values: []float64{12, 12, 12}}),
		Histogram("Lengths of prompts", "tokens", 0, normal("", 3000, 200, 40, 5)),
		Histogram("Lengths, two sources", "tokens", 24, normal("alpaca", 900, 120, 30, 5), normal("dolly", 500, 180, 50, 6)),
		Confusion(labelled()),
		Transfer(transfer(), "trained on", "asked", ""),
		Heat(wide),
		Attention("Head 3 of layer 2", []string{"The", " door", " is", "\n", " \"red\"", "<b>"}, attention),
		Scatter("Cost against gain", "GPU hours", "gain", Points{"small", []float64{1, 2, 3.5, math.NaN()}, []float64{0.2, 1.1, 1.4, 2}, []string{"LoRA 4", "LoRA 16", "full", "lost"}},
			Points{"large", []float64{4, 6}, []float64{1.8, 2.6}, []string{hostile, "full, 2 epochs"}}),
		Scatter("Many points", "x", "y", many),
		Forest("What each source adds", "difference in ROUGE-L", Effect{"alpaca", 2.1, 0.9, 3.4}, Effect{"dolly", 0.3, -0.8, 1.5}, Effect{"a source with a name that is rather long for a label", -1.4, -2.6, -0.1}, Effect{"not run", math.NaN(), 0, 1}),
		Differences("Two scores", []string{"b minus a", "a minus b"}, []eval.Difference{eval.Paired(a, b), eval.Paired(b, a)}),
		Sankey("What the mix is made of", "examples", Flow{"alpaca", "drawn", 500}, Flow{"dolly", "drawn", 220}, Flow{"specialist", "drawn", 300}, Flow{"dolly", "not used", 90}, Flow{"drawn", "trained", 940}, Flow{"drawn", hostile, 80}),
		Bars(learning("mixed"), Bar{X: "n", By: "mix", Stacked: true, Title: "Stacked", XName: "specialist examples"}),
		LogCurves("Losses", "step", "loss", true, true, Series{Name: "power law", X: []float64{1, 10, 100, 1000}, Y: []float64{8, 4, 2, 1}}, Series{Name: "with a zero", X: []float64{1, 10, 100, 1000}, Y: []float64{6, 0, 3, 2}}),
		Curves("A long run", "step", "loss", Series{Name: "100,000 steps", Y: long}),
		Heat(Matrix{Title: hostile, RowName: hostile, ColumnName: hostile, Rows: []string{hostile, "b"}, Columns: []string{"x", hostile}, Values: [][]float64{{1, 2}, {3, math.NaN()}}, Decimals: 1}),
	}
})

func TestEveryKindSaysItsNumbersAndNotes(t *testing.T) {
	for _, c := range gallery() {
		text, page := c.Show()
		for _, line := range strings.Split(c.plot.String(), "\n") {
			if w := runewidth.StringWidth(line); w > 74 {
				t.Errorf("%s: %d columns: %q", c.Title, w, line)
			}
		}
		if len(c.data.Rows) == 0 || len(c.data.Rows) > 260 || c.alt == "" || strings.Contains(page, "<img") || strings.ContainsAny(text, "\x1b") {
			t.Errorf("%s: %d rows of numbers, alt %q", c.Title, len(c.data.Rows), c.alt)
		}
		t.Log("\n" + text)
	}
	all := gallery()
	for want, c := range map[string]*Chart{
		"2 values not finite, left out": all[0], "failed: asked=sentiment seed=1 trained on=arithmetic: no supervised token": all[5],
		"1 value not finite, left out": all[6], "100000 points, drawn without tooltips": all[9],
		"1 point at zero or below are gaps: the upright axis is logarithmic": all[14], "100000 points, of which the picture shows a sample": all[15],
	} {
		if !strings.Contains(strings.Join(c.Notes, "\n"), want) {
			t.Errorf("%s: %q; wanted %q", c.Title, c.Notes, want)
		}
	}
}

func TestEveryKindIsAPicture(t *testing.T) {
	for i, c := range gallery() {
		svg := c.SVG(Picture{})
		text := wellFormed(t, svg)
		if n := strings.Count(svg, "<path") + strings.Count(svg, "<text") + strings.Count(svg, "<polygon"); n < 8 {
			t.Errorf("%d %s: %d elements", i, c.Title, n)
		}
		if c.xName != "" && c.xName != hostile && !strings.Contains(text, c.xName) {
			t.Errorf("%d %s: the axis has no name %q", i, c.Title, c.xName)
		}
	}
}

func TestKindsRefuse(t *testing.T) {
	for want, f := range map[string]func(){
		"chart.Boxes: 0 samples":                        func() { Boxes("", "", "") },
		`chart.Violins: sample "a" has no finite value`: func() { Violins("", "", "", Sample{"a", []float64{math.NaN()}}) },
		"chart.Histogram: -1 bins":                      func() { Histogram("", "", -1, normal("a", 3, 0, 1, 1)) },
		`chart.Heat: row "a" has 1 values; wanted 2`:    func() { Heat(Matrix{Rows: []string{"a"}, Columns: []string{"x", "y"}, Values: [][]float64{{1}}}) },
		`chart.Scatter: set "a" has 1 x, 2 y`:           func() { Scatter("", "", "", Points{"a", []float64{1}, []float64{1, 2}, nil}) },
		"chart.Forest: 0 effects":                       func() { Forest("", "") },
		`chart.Sankey: the flow from "a" to "b" is 0`:   func() { Sankey("", "", Flow{"a", "b", 0}) },
		"chart.Sankey: the flows go round in a circle":  func() { Sankey("", "", Flow{"a", "b", 1}, Flow{"b", "c", 1}, Flow{"c", "a", 1}) },
		"chart.SVG: a picture of 5 by 420":              func() { losses(5).SVG(Picture{Width: 5}) },
		`chart.Save: "x.gif" ends in ".gif"`:            func() { losses(5).Save("x.gif") },
		"chart.Confusion: the score keeps no rows":      func() { Confusion(eval.Score{}) },
		"chart.Transfer: the study has no rows":         func() { Transfer(study.New("x"), "a", "b", "") },
		"chart.Differences: 1 names and 0 differences":  func() { Differences("", []string{"a"}, nil) },
	} {
		func() {
			defer func() {
				e, ok := recover().(*stop.Error)
				if !ok || !strings.HasPrefix(e.Error(), want) {
					t.Errorf("%v; wanted %s …", e, want)
				}
			}()
			f()
		}()
	}
}
