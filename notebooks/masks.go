//go:build ignore

// What is a model trained on, token by token? The template, the mask, what is cut from long examples, and how examples
// share a pack.
package main

import (
	"fmt"

	"tunebook/stdlib/data"
	"tunebook/stdlib/model"
	"tunebook/stdlib/train"
)

func main() {
	// %% [markdown]
	// # What is trained
	//
	// An example becomes tokens by the model's chat template. Only the answer and its stop token are trained, unless one
	// says otherwise; what the template wrote is never guessed from the tokens.

	// %% One example, with the tokens that are trained marked
	base := model.Open("base")
	set := data.New("pets", []data.Example{
		{Prompt: "What does a cat say?", Answer: "Meow."},
		{Prompt: "What does a dog say?", Answer: "Woof, and at night it says it again and again."},
		{System: "Answer in one word.", Prompt: "What does a cow say?", Answer: "Moo."},
	})
	fmt.Println(data.ShowMask(base, set, 0))

	// %% The same with every token trained
	fmt.Println(data.ShowMask(base, set, 0, data.Encoding{Train: "all"}))

	// %% An example that is too long: its prompt is cut, its answer never
	fmt.Println(data.ShowMask(base, set, 1, data.Encoding{MaxLen: 24, Policy: "cut-prompt"}))

	// %% Three examples in one pack: attention and positions begin anew at each
	fmt.Println(data.ShowPack(base, set, []int{0, 1, 2}))

	// %% The loss of an update is the sum over trained tokens, divided once: how examples are put together changes nothing
	facts := data.Generate(data.Gen{Skills: []string{"reading"}, Size: 24, Seed: 1}).Named("facts")
	for _, tokens := range []int{64, 256, 4096} {
		run := train.Run(base, facts, train.Config{LR: 1e-3, Steps: 2, BatchSize: 12, Seed: 1, MicroTokens: tokens, Quiet: true})
		fmt.Printf("at most %4d tokens in a forward pass: loss %.3f, then %.3f\n", tokens, run.Log[0].Loss, run.Log[1].Loss)
	}
}
