//go:build ignore

// Specialist or generalist? The study in small: how well does a model do a task after tuning on the task's own examples
// alone, and after tuning on the same examples with broad instruction data beside them, at three sizes?
package main

import (
	"fmt"

	"tunebook/stdlib/chart"
	"tunebook/stdlib/data"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/model"
	"tunebook/stdlib/study"
	"tunebook/stdlib/train"
)

func main() {
	// %% [markdown]
	// # Specialist or generalist?
	//
	// A small base model is tuned on a task's own (specialist) examples, alone and together with broad (generalist)
	// instructions that hold none of the task. Does the broad data help, and at which size?

	// %% The base model
	base := model.Open("base")
	fmt.Println(base)

	// %% The task's own data, broad data without the task, and a test set that shares no prompt with either
	specialist := data.Generate(data.Gen{Skills: []string{"tracking"}, Size: 300, Seed: 1}).Named("specialist")
	generalist := data.Generate(data.Gen{Exclude: []string{"tracking"}, Size: 250, Seed: 1}).Named("generalist")
	test := data.Generate(data.Gen{Skills: []string{"tracking"}, Split: "test", Size: 200, Seed: 1}).Named("test")
	fmt.Println(specialist)
	fmt.Println(generalist)
	fmt.Println(data.Overlap(specialist, test, 13))
	fmt.Println(data.Overlap(generalist, test, 13))

	// %% Before tuning
	greedy := eval.Greedy{MaxNew: 16, Quiet: true}
	before := eval.ExactMatch(base, test, greedy)
	fmt.Println(before)

	// %% Tuning: three sizes, with and without the broad data, three seeds
	st := study.New("specialist or generalist")
	st.Expect(18)
	var curves []chart.Series
	var mixed *data.Set
	for _, n := range []int{30, 100, 300} {
		for _, mix := range []string{"specialist", "specialist + generalist"} {
			for _, seed := range []int64{1, 2, 3} {
				set := data.Mix(seed, specialist.Take(seed, n))
				if mix != "specialist" {
					set = data.Mix(seed, specialist.Take(seed, n), generalist)
				}
				run := train.Run(base, set, train.Config{LR: 1.5e-3, Epochs: 4, BatchSize: 8, Seed: seed, Quiet: true})
				st.Add(study.Row{"n": n, "mix": mix, "seed": seed, "exact match": eval.ExactMatch(run.Model, test, greedy)})
				if seed == 1 {
					step, loss := run.Curve(5)
					curves = append(curves, chart.Series{Name: fmt.Sprintf("%d, %s", n, mix), X: step, Y: loss})
				}
				mixed = run.Mix
			}
		}
	}

	// %% Results
	table := st.Table("n", "mix")
	pairs := st.Paired("exact match", study.Where{"mix": "specialist"}, study.Where{"mix": "specialist + generalist"})
	fmt.Println(mixed)
	fmt.Println(table)
	fmt.Println(pairs)

	// %% Report
	scores := chart.Plot(st, chart.Line{X: "n", LogX: true, Y: "exact match", By: "mix", CI: 0.95,
		Title: "Specialist or generalist?", XName: "specialist examples", YName: "exact match"})
	fmt.Println(scores)
	page := chart.NewPage("Specialist or generalist?")
	page.Text("A small base model, tuned on a task's own examples alone and with broad instruction data beside them. " +
		"Each point is the mean of three training runs on the same test questions; bands are 95 % intervals.")
	page.Add(scores)
	page.Add(table)
	page.Add(pairs)
	page.Add(before)
	page.Add(chart.Curves("Training loss, seed 1, mean of 5 updates", "update", "nats per answer token", curves...))
	page.Add(mixed)
	fmt.Println("report:", page.Save("quickstart.html"))
}
