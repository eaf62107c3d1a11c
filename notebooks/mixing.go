//go:build ignore

// How data sets are mixed so that every row is accounted for: whole sets, shares, ratios, a curriculum, duplicates and leaks.
package main

import (
	"fmt"

	"tunebook/stdlib/chart"
	"tunebook/stdlib/data"
	"tunebook/stdlib/model"
	"tunebook/stdlib/train"
)

func main() {
	// %% [markdown]
	// # Mixing
	//
	// A mix is a value with an account: how many rows each source gave, how many of them twice, and how many were left.

	// %% A task's own examples and broad ones
	own := data.Generate(data.Gen{Skills: []string{"tracking"}, Size: 80, Seed: 1}).Named("own")
	broad := data.Generate(data.Gen{Exclude: []string{"tracking"}, Size: 400, Seed: 1}).Named("broad")
	test := data.Generate(data.Gen{Skills: []string{"tracking"}, Split: "test", Size: 40, Seed: 1}).Named("test")

	// %% Both whole
	fmt.Println(data.Mix(1, own, broad))

	// %% Three broad examples to each of the task's own
	mix := data.Blend(1, data.Part{Set: own, Passes: 1}, data.Part{Set: broad, Ratio: 3})
	fmt.Println(mix)
	fmt.Println(chart.Mix(mix))

	// %% A smaller take is the beginning of a larger one
	small, large := broad.Take(7, 50).Rows(), broad.Take(7, 100).Rows()
	same := 0
	for i := range small {
		if small[i].Prompt == large[i].Prompt {
			same++
		}
	}
	fmt.Println(same, "of 50 rows of the smaller take begin the larger one")

	// %% From broad to own in a straight line
	curriculum := data.Recipe{Seed: 1, Size: 80, Block: 20, Linear: true,
		Stages: []data.Stage{{At: 0, Shares: []float64{0, 1}}, {At: 1, Shares: []float64{1, 0}}},
		Parts:  []data.Part{{Set: own}, {Set: broad}}}.Blend()
	for from := 0; from < 80; from += 20 {
		n := 0
		for _, e := range curriculum.Rows()[from : from+20] {
			if e.Source == "own" {
				n++
			}
		}
		fmt.Printf("rows %d to %d: %d of the task's own\n", from, from+19, n)
	}

	// %% Duplicates, and whether the test set leaks
	fmt.Println(data.Dedup(data.DedupOptions{}, own, broad))
	fmt.Println(data.Overlap(own, test, 13))

	// %% Trained on: the loss of each source apart
	run := train.Run(model.Open("base"), mix, train.Config{LR: 1.5e-3, Epochs: 1, BatchSize: 8, Seed: 1, Quiet: true})
	fmt.Println(chart.LossBySource(run, 5))
	fmt.Println(run.Mix)
}
