//go:build ignore

// Specialist or generalist on a real model: SmolLM2-135M-Instruct, a Super-NaturalInstructions task, and broad
// instruction data. LoRA on the task's own examples alone and with generalist ones beside them, scored before and after.
//
//	tunebook run notebooks/smollm2.go -model FILE.gguf -task DIR -general DIR
//
// DIR of -task holds train.json and test.json, DIR of -general holds .jsonl files with "prompt" and "completion".
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"tunebook/stdlib/chart"
	"tunebook/stdlib/data"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/model"
	"tunebook/stdlib/study"
	"tunebook/stdlib/train"
)

func main() {
	// %% Arguments
	args := flag.NewFlagSet("smollm2", flag.ExitOnError)
	modelPath := args.String("model", "../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf", "a GGUF file")
	taskDir := args.String("task", "../shared/data/superni/task875_emotion_classification", "a folder with train.json and test.json of a Super-NI task")
	generalDir := args.String("general", "../shared/data/generalist/t0_train_50k", "a folder of JSONL files with prompt and completion")
	size := args.Int("n", 96, "specialist examples")
	ratio := args.Int("ratio", 1, "generalist examples for each specialist one")
	tests := args.Int("tests", 60, "test questions")
	seeds := args.Int("seeds", 3, "training runs of each mix")
	html := args.String("html", "smollm2.html", "where the report goes")
	args.Parse(os.Args[1:])
	data.Need("this notebook works on real weights and data; give their places with -model, -task and -general", *modelPath, *taskDir, *generalDir)

	// %% Model and data
	base := model.Open(*modelPath)
	fmt.Println(base)
	task := data.SuperNI(filepath.Join(*taskDir, "train.json")).Named("specialist")
	test := data.SuperNI(filepath.Join(*taskDir, "test.json")).Named("test").Take(1, *tests)
	files, _ := filepath.Glob(filepath.Join(*generalDir, "*.jsonl"))
	var sets []*data.Set
	for _, f := range files {
		sets = append(sets, data.JSONL(f, data.Fields{Input: "prompt", Output: "completion", Strip: "<|endoftext|>"}))
	}
	short := func(e data.Example) bool { return len(e.Prompt) < 500 && len(e.Answer) < 120 }
	broad := data.Concat("generalist", sets...).Where(short)
	fmt.Println(task)
	fmt.Println(broad)
	fmt.Println(data.Overlap(task, test, 13))

	// %% Before tuning
	greedy := eval.Greedy{MaxNew: 24}
	answers := eval.Ask(base, test, greedy)
	before, beforeL := answers.ExactMatch(), answers.RougeL()
	fmt.Println(before)
	fmt.Println(beforeL)

	// %% Tuning on both mixes
	st := study.New("SmolLM2 on " + filepath.Base(*taskDir))
	st.Expect(2 * *seeds)
	var curves []chart.Series
	var mixed *data.Set
	for _, mix := range []string{"specialist", "specialist + generalist"} {
		for seed := int64(1); seed <= int64(*seeds); seed++ {
			set := data.Mix(seed, task.Take(seed, *size))
			if mix != "specialist" {
				set = data.Mix(seed, task.Take(seed, *size), broad.Take(seed, *size**ratio))
			}
			run := train.Run(base, set, train.Config{LR: 1e-3, Epochs: 1, BatchSize: 8, LoRA: 16, MaxLen: 384, Policy: "drop", Seed: seed})
			mixed = run.Mix
			answers := eval.Ask(run.Model, test, greedy)
			st.Add(study.Row{"mix": mix, "n": *size, "seed": seed, "exact match": answers.ExactMatch(), "ROUGE-L": answers.RougeL()})
			step, loss := run.Curve(2)
			curves = append(curves, chart.Series{Name: fmt.Sprintf("%s, seed %d", mix, seed), X: step, Y: loss})
		}
	}

	// %% Results
	table := st.Table("mix")
	fmt.Println(mixed)
	fmt.Println(table)
	pairs := st.Paired("exact match", study.Where{"mix": "specialist"}, study.Where{"mix": "specialist + generalist"})
	fmt.Println(pairs)

	// %% Report
	page := chart.NewPage("Specialist or generalist: SmolLM2-135M-Instruct")
	page.Text("Before tuning, then after LoRA on the task's own examples alone and with generalist ones beside them.")
	page.Add(before)
	page.Add(beforeL)
	page.Add(table)
	page.Add(pairs)
	page.Add(mixed)
	page.Add(chart.Curves("Training loss, mean of 2 updates", "update", "nats per answer token", curves...))
	page.Add(before.Worst(5))
	fmt.Println("report:", page.Save(*html))
}
