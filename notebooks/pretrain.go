//go:build ignore

// How the embedded base model was made: a small Llama-type decoder from scratch, with a tokenizer of its own, on plain
// text of our generator. It takes about three quarters of an hour on 2 cores and can be stopped with Ctrl-C and run
// again: it goes on from its last checkpoint.
package main

import (
	"fmt"

	"tunebook/stdlib/data"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/model"
	"tunebook/stdlib/train"
)

const (
	documents = 180000 // about 80 tokens each
	vocab     = 2048
	out       = "base-model"
)

func main() {
	// %% Text
	texts := data.PretrainTexts(1, 0, documents)
	tok := model.TrainTokenizer(texts[:20000], vocab)
	fmt.Println(texts[0])

	// %% A model of random weights
	fresh := model.New(model.Config{
		HiddenSize: 192, IntermediateSize: 512, NumHiddenLayers: 6,
		NumAttentionHeads: 6, NumKeyValueHeads: 3, MaxPositionEmbeddings: 512,
		RMSNormEps: 1e-5, RopeTheta: 10000, TieWordEmbeddings: true,
	}, tok, 1)
	fmt.Println(fresh.Params(), "parameters")

	// %% One pass over the text
	run := train.Text(fresh, "plain text", texts, train.Config{
		LR: 3e-3, MinLR: 3e-4, Epochs: 1, BatchSize: 64, Warmup: 100, Beta2: 0.95, WeightDecay: 0.1,
		Seed: 1, Dir: "pretrain-checkpoints", Every: 200,
	})
	fmt.Printf("loss %.3f nats per token\n", run.FinalLoss())

	// %% What it foresees of text that it has not seen
	held := data.PretrainTexts(2, 0, 1000)
	fmt.Printf("held out: %.3f nats per token\n", eval.TextLoss(run.Model, held))
	fmt.Println(run.Model.Complete("Where does", 24))

	// %% Save
	fmt.Println("saved in", run.Model.Save(out, "F16"))
}
