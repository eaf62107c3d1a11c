// Package train fits a model to supervised sequences: full or low-rank, AdamW, one schedule step per update, gradients
// summed over an update's micro-batches and divided once by its supervised tokens.
//
// What a run computes depends on its Config and its data alone: the order of examples is a pure function of (seed,
// epoch), the learning rate of (step, total), so a run that was stopped goes on from a checkpoint to the same bits.
//
// One step, from top to bottom: trainer.go (Run) → step.go (Step) → model.Loss → grad → backend.
package train

import (
	"fmt"
	"math"

	"tunebook/engine/data"
	"tunebook/engine/model"
)

// Config says how to train. The zero value of a field means the default that its comment names.
type Config struct {
	LR           float64    // peak learning rate; 1e-3 (full) or 2e-4·10 (LoRA 2e-3) are usual for very small models; no default
	Epochs       int        // passes over the data; 3 when Steps is 0 too
	Steps        int        // updates; when set it decides the length and Epochs must be 0
	BatchSize    int        // examples per update; 16
	MicroTokens  int        // tokens per forward pass at most, to bound memory; 4096. Results do not depend on it
	Schedule     string     // "cosine" (default), "linear", "constant"
	Warmup       int        // updates of linear warm-up; 0 means 3 % of all, -1 none
	MinLR        float64    // where cosine and linear end; 0
	Beta1, Beta2 float64    // 0.9, 0.999
	Eps          float64    // 1e-8
	WeightDecay  float64    // on matrices, not on norms; 0
	Clip         float64    // largest gradient norm; 1. -1 for no clipping
	LoRA         model.LoRA // Rank 0 trains all weights
	Seed         int64      // decides the order of examples and new adapter weights

	Weights []float64 `json:",omitempty"` // of each source's tokens in the loss, by source index; empty means 1

	Validation    []data.Sequence `json:"-"` // what Report.Validation is measured on; it changes no result
	ValidateEvery int             `json:"-"` // updates between measurements, the last update always; 100

	Dir   string // where checkpoints go; empty for none
	Every int    // updates between checkpoints; 100
	Keep  int    // checkpoints kept; 2
}

// fill replaces zero values by their defaults.
func (c Config) fill() Config {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	setf := func(p *float64, v float64) {
		if *p == 0 {
			*p = v
		}
	}
	if c.Steps == 0 {
		set(&c.Epochs, 3)
	}
	set(&c.BatchSize, 16)
	set(&c.MicroTokens, 4096)
	set(&c.Every, 100)
	set(&c.Keep, 2)
	set(&c.ValidateEvery, 100)
	setf(&c.Beta1, 0.9)
	setf(&c.Beta2, 0.999)
	setf(&c.Eps, 1e-8)
	setf(&c.Clip, 1)
	if c.Schedule == "" {
		c.Schedule = "cosine"
	}
	return c
}

// Check returns an error that names the first field that cannot be.
func (c Config) Check() error {
	bad := func(field string, is any, want string) error {
		return fmt.Errorf("train.Config: %s: is %v; wanted %s", field, is, want)
	}
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	for i, w := range c.Weights {
		if !(w > 0) || !finite(w) {
			return bad(fmt.Sprintf("Weights[%d]", i), w, "more than 0")
		}
	}
	switch {
	case !(c.LR > 0) || !finite(c.LR):
		return bad("LR", c.LR, "a positive learning rate such as 1e-3")
	case c.Epochs < 0:
		return bad("Epochs", c.Epochs, "0 or more")
	case c.Steps < 0:
		return bad("Steps", c.Steps, "0 or more")
	case c.Steps > 0 && c.Epochs > 0:
		return fmt.Errorf("train.Config: Steps is %d and Epochs is %d; wanted one of them", c.Steps, c.Epochs)
	case c.BatchSize < 0:
		return bad("BatchSize", c.BatchSize, "at least 1 example")
	case c.MicroTokens < 0:
		return bad("MicroTokens", c.MicroTokens, "at least 1 token")
	case c.Schedule != "" && c.Schedule != "cosine" && c.Schedule != "linear" && c.Schedule != "constant":
		return bad("Schedule", fmt.Sprintf("%q", c.Schedule), `"cosine", "linear" or "constant"`)
	case c.Warmup < -1:
		return bad("Warmup", c.Warmup, "a number of updates, 0 for 3 %, or -1 for none")
	case c.MinLR < 0 || c.MinLR > c.LR || !finite(c.MinLR):
		return bad("MinLR", c.MinLR, fmt.Sprintf("between 0 and LR, %g", c.LR))
	case c.Beta1 < 0 || c.Beta1 >= 1 || !finite(c.Beta1):
		return bad("Beta1", c.Beta1, "in [0, 1)")
	case c.Beta2 < 0 || c.Beta2 >= 1 || !finite(c.Beta2):
		return bad("Beta2", c.Beta2, "in [0, 1)")
	case c.Eps < 0 || !finite(c.Eps):
		return bad("Eps", c.Eps, "a small positive number")
	case c.WeightDecay < 0 || !finite(c.WeightDecay):
		return bad("WeightDecay", c.WeightDecay, "0 or more")
	case c.Clip < 0 && c.Clip != -1 || !finite(c.Clip):
		return bad("Clip", c.Clip, "a positive norm, or -1 for none")
	case c.LoRA.Rank < 0:
		return bad("LoRA.Rank", c.LoRA.Rank, "0 (train all weights) or more")
	case c.ValidateEvery < 0:
		return bad("ValidateEvery", c.ValidateEvery, "a number of updates")
	case c.Every < 0:
		return bad("Every", c.Every, "a number of updates")
	case c.Keep < 0:
		return bad("Keep", c.Keep, "at least 1")
	}
	return nil
}
