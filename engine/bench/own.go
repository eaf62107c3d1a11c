package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Part names a part of a bench of our own.
type Part string

// The parts, in the order in which they run.
const (
	PartKernels    Part = "kernels" // the machine, too
	PartSteps      Part = "steps"
	PartGeneration Part = "generation"
	PartEvaluation Part = "evaluation"
	PartStart      Part = "start"
)

// Parts are all parts.
var Parts = []Part{PartKernels, PartSteps, PartGeneration, PartEvaluation, PartStart}

// Named is a piece of work with its name and the part that it belongs to.
type Named struct {
	Name string
	Part Part
	Work Work
}

// Works returns the pieces of work of a bench of our own on a device. Small ones are over in a second or two and say little about
// large ones.
func Works(device string, texts Texts, small bool) []Named {
	large, little, steps, reps, length := "smol", "tiny", 2, 1, 64
	rows := func(model string) Rows {
		switch {
		case small:
			return RandomRows(2, 16, Geometries[model].VocabSize, 1)
		case model == little:
			return RandomRows(32, 128, Geometries[model].VocabSize, 1)
		}
		return RandomRows(4, 256, Geometries[model].VocabSize, 1)
	}
	if small {
		large, steps, reps, length = "tiny", 1, 1, 8
	}
	shape := func(model string) string {
		name := "SmolLM2-135M"
		if model == "tiny" {
			name = "9.4 M"
		}
		r := rows(model)
		return fmt.Sprintf("%s, %d × %d", name, len(r.IDs), len(r.IDs[0]))
	}
	all := []Named{
		{"the machine and each kernel", PartKernels, Work{Do: Kernels, Device: device, Small: small}},
		{"full, " + shape(large), PartSteps, Work{Do: Steps, Model: large, Device: device, Rows: rows(large), Steps: steps, Shares: true}},
		{"LoRA 16, " + shape(large), PartSteps, Work{Do: Steps, Model: large, Device: device, LoRA: 16, Rows: rows(large), Steps: steps, Shares: true}},
	}
	if !small {
		all = append(all, Named{"full, " + shape(little), PartSteps, Work{Do: Steps, Model: little, Device: device, Rows: rows(little), Steps: steps, Shares: true}})
	}
	for _, batch := range []int{1, 32} {
		all = append(all, Named{fmt.Sprintf("%s, batch %d", strings.Split(shape(large), ",")[0], batch), PartGeneration,
			Work{Do: Generation, Model: large, Device: device, Rows: RandomRows(batch, length, Geometries[large].VocabSize, 2), New: length, Reps: reps}})
	}
	asked := texts.Questions
	if small {
		asked = asked[:2]
	}
	return append(all,
		Named{fmt.Sprintf("%s, %d questions", strings.Split(shape(large), ",")[0], len(asked)), PartEvaluation,
			Work{Do: Likelihood, Model: large, Device: device, Tokenizer: texts.Tokenizer, Questions: asked, Reps: 1}},
		Named{"the model inside tunebook, first token", PartStart, Work{Do: Generation, Model: "base", Device: device, Rows: RandomRows(1, 8, 256, 3), New: 1}})
}

// Repeat does a piece of work in so many processes and returns the result whose median speed is the best, with the largest memory
// of all and the shortest set-up and first step.
func (r *Runner) Repeat(ctx context.Context, n Named, rounds int) (Result, error) {
	var all []Result
	for i := range rounds {
		r.Log("%s: %s, round %d of %d", n.Part, n.Name, i+1, rounds)
		result, err := r.Run(ctx, Side{Name: n.Name, Work: &n.Work}, n.Work.Rows)
		if err != nil {
			return Result{}, fmt.Errorf("bench: %s: %w", n.Name, err)
		}
		all = append(all, result)
	}
	best := slices.MaxFunc(all, func(a, b Result) int {
		return int(1e6 * (a.Median + a.DecodeMed + a.Rows - b.Median - b.DecodeMed - b.Rows))
	})
	for _, x := range all {
		best.Peak = max(best.Peak, x.Peak)
		best.SetUp = min(best.SetUp, x.SetUp)
		best.FirstStep = min(best.FirstStep, x.FirstStep)
	}
	return best, nil
}

// Summary is what a table and a file say of a comparison.
type Summary struct {
	Name      string    `json:"name"`
	Peer      string    `json:"peer"` // the fastest of the peers in most rounds
	Unit      string    `json:"unit"`
	Ours      float64   `json:"ours"` // median of the rounds
	Theirs    float64   `json:"theirs"`
	Ratios    []float64 `json:"ratios"` // a round each
	Min       float64   `json:"min"`
	Median    float64   `json:"median"`
	Goal      float64   `json:"goal"`
	Memory    Pair      `json:"memory_bytes"`
	FirstStep Pair      `json:"first_step_s"`
	SetUp     Pair      `json:"setup_s"`
	Failed    []string  `json:"failed,omitempty"`
	Notes     []string  `json:"notes,omitempty"`
}

// units are what the figures count, a second.
var units = map[string]string{"step": "tokens/s", "decode": "tokens/s", "rows": "rows/s"}

// Summary sums the rounds up. Without a round of both sides Ratios is empty and the numbers are 0.
func (o *Outcome) Summary() Summary {
	s := Summary{Name: o.Name, Unit: units[o.Figure], Goal: o.Goal, Failed: o.Failed, Notes: o.Notes, Ratios: o.Ratios()}
	if len(s.Ratios) == 0 {
		return s
	}
	s.Peer = o.Peers[o.Best()].Name
	figure := o.Of(Figures[o.Figure])
	s.Ours, s.Theirs = figure.Ours, figure.Theirs
	s.Min, s.Median = slices.Min(s.Ratios), Median(s.Ratios)
	s.Memory = o.Of(func(r Result) float64 { return float64(r.Peak) })
	s.FirstStep = o.Of(Result.First)
	s.SetUp = o.Of(Result.Ready)
	return s
}
