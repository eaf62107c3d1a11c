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
