//go:build ignore

// How a model is scored so that the number can be quoted: tasks, metrics, intervals, comparisons, learning curves.
package main

import (
	"fmt"

	"tunebook/stdlib/data"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/model"
	"tunebook/stdlib/study"
	"tunebook/stdlib/train"
)

func main() {
	// %% [markdown]
	// # Scores that can be quoted
	//
	// Every score here says how many documents stand behind it, how far it may be off, and how it was made. Two scores that
	// were made in different ways refuse to be compared.

	// %% A model tuned on a little data, and questions that it has not seen
	base := model.Open("base")
	specialist := data.Generate(data.Gen{Skills: []string{"tracking"}, Size: 60, Seed: 1}).Named("specialist")
	test := data.Generate(data.Gen{Skills: []string{"tracking"}, Split: "test", Size: 40, Seed: 1}).Named("test")
	tuned := train.Run(base, specialist, train.Config{LR: 1.5e-3, Epochs: 2, BatchSize: 8, Seed: 1, Quiet: true}).Model

	// %% A task says what is asked and how answers are read; answers are made once and scored as often as one likes
	task := eval.Task{Test: test, MaxNew: 12, Quiet: true}
	before, after := task.Ask(base), task.Ask(tuned)
	for _, metric := range []string{"exact", "f1", "rougeL", "chrf"} {
		fmt.Println(after.Score(eval.Find(metric)).String())
	}

	// %% The whole story of one score
	exact := after.Score(eval.Find("exact"))
	story, _ := exact.Show()
	fmt.Print(story)

	// %% Is it better than before? Document by document, with an interval and two tests
	fmt.Println(eval.Paired(before.Score(eval.Find("f1")), after.Score(eval.Find("f1"))))

	// %% What changed, the largest changes first
	fmt.Println(eval.Compare(before.Score(eval.Find("f1")), after.Score(eval.Find("f1")), 3))

	// %% The answers that are furthest off
	fmt.Println(after.Score(eval.Find("f1")).Worst(3))

	// %% Scores made in different ways are not compared: here one with a shown example, one without
	shown := eval.Task{Test: test, Shots: 1, Pool: specialist, MaxNew: 12, Quiet: true}.Run(tuned)
	fmt.Println(shown.String())
	fmt.Println("made alike:", shown.How.Shots == exact.How.Shots && shown.How.Template == exact.How.Template)

	// %% Choosing by likelihood instead of writing
	colours := []string{"red", "blue", "green"}
	var rows []data.Example
	for i := 0; i < 12; i++ {
		rows = append(rows, data.Example{Prompt: fmt.Sprintf("Door %d is %s. Which colour has door %d?", i, colours[i%3], i), Answer: colours[i%3]})
	}
	doors := data.New("doors", rows)
	for _, norm := range []eval.Norm{"", "length", "unconditional"} {
		fmt.Println(eval.Task{Kind: eval.Classify, Test: doors, Labels: colours, Norm: norm, Metric: "macro-f1", Quiet: true}.Run(tuned).String())
	}

	// %% How well texts are foreseen, comparable between models with different tokenizers
	texts := []string{"Where does Mira live? Mira lives in Velton.", "The red door stands open."}
	fmt.Println(eval.Foreseen(base, "bits-per-byte", "two texts", texts, eval.Rolling{}).String())
	fmt.Println(eval.Foreseen(tuned, "bits-per-byte", "two texts", texts, eval.Rolling{}).String())

	// %% How many examples more would do as much? Two learning curves over the same questions tell
	st := study.New("curve")
	for _, n := range []int{8, 15, 30, 60} {
		st.Point(study.Row{"n": n, "seed": 1}, study.Inputs{"tracking", 3}, func() study.Results {
			run := train.Run(base, specialist.Take(1, n), train.Config{LR: 1.5e-3, Epochs: 1, BatchSize: 8, Seed: 1, Quiet: true})
			return study.Results{"f1": eval.Task{Test: test, MaxNew: 12, Metric: "f1", Quiet: true}.Run(run.Model)}
		})
	}
	fmt.Println(st.Table("n"))
	curve, _ := st.Curve("n", "f1", nil).Show()
	fmt.Print(curve)
	fmt.Println(st.Table("n").LaTeX())
}
