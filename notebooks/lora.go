//go:build ignore

// Adapters: how many weights are trained at which rank, how well that does, and what comes of saving and merging them.
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
	// # LoRA
	//
	// Low-rank adapters leave the base's weights as they are and train a small addition to each linear layer.

	// %% Data and base
	base := model.Open("base")
	own := data.Generate(data.Gen{Skills: []string{"tracking"}, Size: 60, Seed: 1}).Named("own")
	test := data.Generate(data.Gen{Skills: []string{"tracking"}, Split: "test", Size: 40, Seed: 1}).Named("test")
	task := eval.Task{Test: test, MaxNew: 12, Metric: "f1", Quiet: true}
	fingerprint := base.Fingerprint()

	// %% All weights, and three ranks
	st := study.New("ranks")
	var adapted *model.Model
	for _, rank := range []int{0, 2, 8} {
		rate := 1.5e-3
		if rank > 0 {
			rate = 5e-3
		}
		run := train.Run(base, own, train.Config{LR: rate, Epochs: 2, BatchSize: 8, Seed: 1, LoRA: rank, Quiet: true})
		st.Add(study.Row{"rank": rank, "seed": 1, "f1": task.Run(run.Model), "trained weights": study.Measured(float64(run.Trainable)), "loss": study.Measured(run.FinalLoss())})
		adapted = run.Model
	}
	fmt.Println(st.Table("rank"))

	// %% The base is as it was
	fmt.Println("base unchanged:", base.Fingerprint() == fingerprint)

	// %% Merged, the adapter is part of the weights: the answers are the same
	merged := adapted.Merge()
	a, b := task.Ask(adapted).Rows(), task.Ask(merged).Rows()
	equal := 0
	for i := range a {
		if a[i].Raw == b[i].Raw {
			equal++
		}
	}
	fmt.Println(equal, "of", len(a), "answers equal after merging")
	fmt.Println(eval.Paired(task.Run(base), task.Run(merged)))
}
