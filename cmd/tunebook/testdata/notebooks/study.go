//go:build ignore

// A study in the shape of notebooks/quickstart.go, small enough to be run three ways by a test.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"tunebook/stdlib/data"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/model"
	"tunebook/stdlib/study"
	"tunebook/stdlib/train"
)

const (
	vocab = 400
	shape = 32
)

// longest returns the length of the longest prompt, in words.
func longest(rows []data.Example) (n int) {
	for _, r := range rows {
		n = max(n, len(strings.Fields(r.Prompt)))
	}
	return n
}

func main() {
	// %% Arguments
	args := flag.NewFlagSet("study", flag.ExitOnError)
	size := args.Int("n", 24, "examples")
	args.Parse(os.Args[1:])

	// %% Data
	spec := data.Generate(data.Gen{Skills: []string{"reading"}, Size: *size, Seed: 1}).Named("specialist")
	broad := data.Generate(data.Gen{Exclude: []string{"reading"}, Size: *size, Seed: 1}).Named("generalist")
	test := data.Generate(data.Gen{Skills: []string{"reading"}, Split: "test", Size: 6, Seed: 1})
	rows := spec.Rows()
	fmt.Println(spec, longest(rows))

	// %% [markdown]
	// # Model

	// %% A model of random weights
	var texts []string
	for _, r := range rows {
		texts = append(texts, r.Prompt, r.Answer)
	}
	base := model.New(model.Config{
		HiddenSize: shape, IntermediateSize: 2 * shape, NumHiddenLayers: 1,
		NumAttentionHeads: 2, NumKeyValueHeads: 1, MaxPositionEmbeddings: 512,
		RMSNormEps: 1e-5, RopeTheta: 10000, TieWordEmbeddings: true,
	}, model.TrainTokenizer(texts, vocab), 1)
	fmt.Println(base.Params())

	// %% Runs
	st := study.New("small")
	for _, mix := range []string{"specialist", "both"} {
		for seed := range int64(2) {
			set := data.Mix(seed, spec.Take(seed, 12))
			if mix == "both" {
				set = data.Mix(seed, spec.Take(seed, 12), broad.Take(seed, 12))
			}
			run := train.Run(base, set, train.Config{LR: 1e-2, Steps: 4, BatchSize: 8, Seed: seed, Quiet: true})
			for _, r := range run.Log {
				fmt.Printf("%s %d: %.9f\n", mix, r.Step, r.Loss)
			}
			score := eval.RougeL(run.Model, test, eval.Greedy{MaxNew: 4, Quiet: true})
			st.Add(study.Row{"mix": mix, "seed": seed, "n": 12, "rougeL": score})
		}
	}

	// %% Table
	fmt.Println(st.Table("mix"))
}
