package data_test

import (
	"fmt"

	"tunebook/stdlib/data"
)

// A task's own examples and broad ones, mixed; the manifest accounts for every row.
func ExampleMix() {
	own := data.Generate(data.Gen{Skills: []string{"lists"}, Size: 500, Seed: 1}).Named("own")
	broad := data.Generate(data.Gen{Exclude: []string{"lists"}, Size: 500, Seed: 1}).Named("broad")
	mix := data.Mix(1, own.Take(1, 100), broad.Take(1, 300))
	for _, s := range mix.Manifest().Sources {
		fmt.Println(s.Name, s.Drawn, "of", s.Available)
	}
	// Output:
	// own 100 of 500
	// broad 300 of 500
}

// A test set that training cannot hold, and the check that says so.
func ExampleOverlap() {
	train := data.Generate(data.Gen{Skills: []string{"reading"}, Size: 500, Seed: 1}).Named("reading")
	test := data.Generate(data.Gen{Skills: []string{"reading"}, Split: "test", Size: 100, Seed: 1}).Named("reading/test")
	fmt.Println(data.Overlap(train, test, 20))
	// Output:
	// reading/test against reading: 0 of 100 test prompts are training prompts; 0 test rows share a run of 20 words with training
}

// Wrong facts under control: a share of the answers of factual skills is replaced, and counted.
func ExampleGenerate_wrong() {
	set := data.Generate(data.Gen{Skills: []string{"recall"}, Size: 200, Seed: 1, WrongShare: 0.25})
	wrong := 0
	for _, e := range set.Rows() {
		if e.Wrong {
			wrong++
		}
	}
	fmt.Println(wrong, "of", set.Len())
	// Output:
	// 50 of 200
}

// Four broad examples to each of the task's own; the manifest tells what was planned and what came of it.
func ExampleBlend() {
	own := data.Generate(data.Gen{Skills: []string{"lists"}, Size: 500, Seed: 1}).Named("own")
	broad := data.Generate(data.Gen{Exclude: []string{"lists"}, Size: 500, Seed: 1}).Named("broad")
	mix := data.Blend(1, data.Part{Set: own, Count: 50}, data.Part{Set: broad, Ratio: 4})
	for _, s := range mix.Manifest().Sources {
		fmt.Printf("%s: %s, %d examples, %.0f %%\n", s.Name, s.Plan, s.Drawn, 100*s.Share)
	}
	// Output:
	// own: count 50, 50 examples, 20 %
	// broad: ratio 4, 200 examples, 80 %
}

// A curriculum from broad examples to the task's own: in blocks of 100, the share moves in a straight line.
func ExampleRecipe() {
	own := data.Generate(data.Gen{Skills: []string{"lists"}, Size: 500, Seed: 1}).Named("own")
	broad := data.Generate(data.Gen{Exclude: []string{"lists"}, Size: 500, Seed: 1}).Named("broad")
	mix := data.Recipe{Seed: 1, Size: 400, Block: 100, Linear: true,
		Stages: []data.Stage{{At: 0, Shares: []float64{0, 1}}, {At: 1, Shares: []float64{1, 0}}},
		Parts:  []data.Part{{Set: own}, {Set: broad}}}.Blend()
	for from := 0; from < 400; from += 100 {
		n := 0
		for _, e := range mix.Rows()[from : from+100] {
			if e.Source == "own" {
				n++
			}
		}
		fmt.Print(n, " ")
	}
	fmt.Println("of own in each block")
	// Output:
	// 13 37 63 87 of own in each block
}
