//go:build ignore

// What the base model can learn quickly: it is tuned on 400 examples of each of the generator's skills in turn and
// scored on 200 questions that it has not seen. This is where the numbers of its card come from.
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
	// %% The base model and the skills
	base := model.Open("base")
	skills := data.Skills()
	fmt.Println(base)
	fmt.Println(skills)
	fmt.Printf("held-out plain text: %.3f nats per token\n", eval.TextLoss(base, data.PretrainTexts(2, 0, 1000)))

	// %% One run for each skill
	st := study.New("skills of the base model")
	st.Expect(len(skills))
	greedy := eval.Greedy{MaxNew: 24, Quiet: true}
	for _, name := range skills.Names() {
		set := data.Generate(data.Gen{Skills: []string{name}, Size: 400, Seed: 1})
		test := data.Generate(data.Gen{Skills: []string{name}, Size: 200, Seed: 1, Split: "test"})
		run := train.Run(base, set, train.Config{LR: 1.5e-3, Epochs: 4, BatchSize: 8, Seed: 1, Quiet: true})
		answers := eval.Ask(run.Model, test, greedy)
		st.Add(study.Row{"skill": name, "seed": 1, "exact match": answers.ExactMatch(), "ROUGE-L": answers.RougeL()})
	}

	// %% Results
	table := st.Table("skill")
	fmt.Println(table)
	fmt.Println(table.Markdown())
	page := chart.NewPage("Skills of the base model")
	page.Add(chart.Bars(st, chart.Bar{X: "skill", Y: "exact match", CI: 0.95, Title: "After tuning on 400 examples of the skill", YName: "exact match"}))
	page.Add(table)
	page.Add(skills)
	fmt.Println("report:", page.Save("skills.html"))
}
