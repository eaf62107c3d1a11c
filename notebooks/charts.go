//go:build ignore

// One of every kind of chart, on numbers made up here: in the terminal, on a page, and as pictures for a paper.
package main

import (
	"fmt"
	"math"
	"math/rand"

	"tunebook/stdlib/chart"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/study"
)

// draws returns n numbers around a mean.
func draws(seed int64, n int, mean, spread float64) []float64 {
	r := rand.New(rand.NewSource(seed))
	out := make([]float64, n)
	for i := range out {
		out[i] = mean + spread*r.NormFloat64()
	}
	return out
}

// answered returns a score of 50 questions of which the first so many are right.
func answered(right int, seed int64) eval.Score {
	rows := make([]eval.Row, 50)
	for i := range rows {
		rows[i] = eval.Row{Prompt: fmt.Sprint(i), Answer: "yes", Cleaned: "no"}
		if (i*7+int(seed))%50 < right {
			rows[i].Cleaned = "yes"
		}
	}
	return eval.Rows(eval.Find("exact"), rows, eval.How{})
}

func main() {
	// %% [markdown]
	// # Charts
	//
	// Every chart shows itself in the terminal, on a page that opens with the network off, and as an SVG picture that needs
	// no browser.

	// %% A study with two mixes, four sizes and three seeds
	st := study.New("two mixes")
	for i, n := range []int{50, 100, 200, 400} {
		for _, seed := range []int{1, 2, 3} {
			st.Add(study.Row{"n": n, "mix": "specialist only", "seed": seed, "score": answered(12+8*i+seed, int64(seed))})
			st.Add(study.Row{"n": n, "mix": "with generalist data", "seed": seed, "score": answered(20+7*i+seed, int64(seed))})
		}
	}
	lines := chart.Plot(st, chart.Line{X: "n", By: "mix", LogX: true, Title: "Score by size", XName: "specialist examples", YName: "exact match"})
	fmt.Println(lines)

	// %% Bars with their intervals
	bars := chart.Bars(st, chart.Bar{X: "n", By: "mix", Title: "The same as bars", XName: "specialist examples", YName: "exact match"})
	fmt.Println(bars)

	// %% Differences with their intervals
	var names []string
	var differences []eval.Difference
	for _, n := range []int{50, 400} {
		alone := st.Points("n", "mix", "score")
		var a, b eval.Score
		for _, p := range alone {
			if p.XValue == float64(n) && p.By == "specialist only" {
				a = p.Score
			}
			if p.XValue == float64(n) && p.By == "with generalist data" {
				b = p.Score
			}
		}
		names = append(names, fmt.Sprintf("%d examples", n))
		differences = append(differences, eval.Paired(a, b))
	}
	forest := chart.Differences("What the generalist data adds", names, differences)
	fmt.Println(forest)

	// %% Distributions
	short := chart.Sample{Name: "specialist", Values: draws(1, 200, 40, 9)}
	long := chart.Sample{Name: "generalist", Values: draws(2, 300, 70, 25)}
	boxes := chart.Boxes("Lengths of answers", "source", "tokens", short, long)
	violins := chart.Violins("Lengths of answers", "source", "tokens", short, long)
	histogram := chart.Histogram("Lengths of answers", "tokens", 20, short, long)
	fmt.Println(boxes)
	fmt.Println(histogram)

	// %% Tables of numbers as colours
	tasks := []string{"sentiment", "entailment", "summaries"}
	heat := chart.Heat(chart.Matrix{Title: "Trained on one task, asked another", RowName: "trained on", ColumnName: "asked", Rows: tasks, Columns: tasks,
		Values: [][]float64{{81.2, 40.5, 12}, {55.1, 78.4, math.NaN()}, {30, 28.8, 44.6}}, Decimals: 1})
	fmt.Println(heat)

	// %% Points with names, and what a mix is made of
	scatter := chart.Scatter("Cost against gain", "hours", "points gained", chart.Points{Name: "LoRA", X: []float64{0.5, 1, 2}, Y: []float64{1.1, 1.9, 2.3}, Labels: []string{"rank 4", "rank 16", "rank 64"}},
		chart.Points{Name: "all weights", X: []float64{6}, Y: []float64{2.6}, Labels: []string{"full"}})
	flows := chart.Sankey("What the mix is made of", "examples", chart.Flow{From: "specialist", To: "drawn", Value: 300},
		chart.Flow{From: "generalist", To: "drawn", Value: 250}, chart.Flow{From: "generalist", To: "not used", Value: 120}, chart.Flow{From: "drawn", To: "trained", Value: 550})
	fmt.Println(scatter)
	fmt.Println(flows)

	// %% A curve with a gap: a number that is not finite is never drawn as one
	loss := draws(3, 200, 0, 0.05)
	for i := range loss {
		loss[i] += 1 + 3*math.Exp(-float64(i)/40)
	}
	loss[120] = math.NaN()
	curve := chart.Curves("Training loss", "update", "nats per answer token", chart.Series{Name: "seed 1", Y: loss})
	fmt.Println(curve)

	// %% Pictures for a paper, and one page with everything
	fmt.Println(len(lines.SVG(chart.Picture{Width: 480, Height: 300})) > 1000)
	page := chart.NewPage("Charts")
	page.Add(chart.Grid("Side by side", lines, bars, boxes, violins))
	for _, c := range []*chart.Chart{forest, histogram, heat, scatter, flows, curve} {
		page.Add(c)
	}
	fmt.Println("report:", page.Save("charts.html"))
}
