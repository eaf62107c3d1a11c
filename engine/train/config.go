// Package train fits a model to supervised sequences: full or low-rank, one schedule step per update, gradients
// summed over an update's micro-batches and divided once by its supervised tokens.
//
// What a run computes depends on its Config and its data alone: the order of examples is a pure function of (seed,
// epoch), the learning rate of (step, total), so a run that was stopped goes on from a checkpoint to the same bits.
//
// One step, from top to bottom: trainer.go (Run) → step.go (Step) → model.Loss → grad → backend. Several devices share its
// examples: replica.go → backend.Collective. That has run on the host's devices and on simulated cards; NCCL, which joins real ones,
// has run on no card yet.
package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tunebook/engine/backend"
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
	Schedule     string     // one of Schedules; "cosine"
	Warmup       int        // updates of linear warm-up; 0 means 3 % of all, -1 none
	Decay        int        // updates over which "wsd" falls at the end; 0 means 10 % of all
	MinLR        float64    // where cosine, linear and wsd end and inverse-sqrt stops; 0
	Optimizer    string     // one of Optimizers; "adamw". "adamw-bf16" and "adamw8bit" keep its moments in two bytes or one
	Beta1, Beta2 float64    // 0.9, 0.999; lion 0.9, 0.99; adafactor 0 (no mean of updates), unused
	Eps          float64    // of AdamW in all forms; 1e-8
	Momentum     float64    // of sgd; 0
	Nesterov     bool       // of sgd
	WeightDecay  float64    // on matrices, not on norms and biases; 0
	Groups       []Group    `json:",omitempty"` // other learning rates and decays by parameter
	Clip         float64    // largest gradient norm; 1. -1 for no clipping
	LoRA         model.LoRA // Rank 0 trains all weights
	Freeze       []string   `json:",omitempty"` // patterns of parameters that are not trained; * is any characters
	Seed         int64      // decides the order of examples and new adapter weights

	// Precision is "f32" (default), or "bf16": the trained parameters are rounded to bfloat16 after every update, from
	// masters in float32 that the optimizer works on, so that the model which is trained and the one which a BF16 file
	// holds are the same. It says how parameters are stored and nothing about arithmetic: sums stay in float32, and memory is
	// not saved. Products of rounded operands, which is what others call bf16 training with float32 masters, come with the
	// device: "cpu-bf16" or "cuda-bf16", with either Precision.
	Precision string

	// EMA is the decay of an exponential moving average of the trained parameters, 0 for none. Where there is one,
	// validation and the run's end have the average in place of the last parameters.
	EMA float64

	// NEFTune adds to every embedding noise that is uniform in ±NEFTune/sqrt(L·C), L the document's tokens; 5 is usual, 0 for
	// none. It depends on the seed, the update and the document's place in it alone.
	// Source: Jain et al. 2023, arXiv:2310.05914, algorithm 1.
	NEFTune float64 `json:",omitempty"`

	// Recompute keeps the activations at the borders of layers alone and makes the others again on the way back: less memory
	// for about a third more time, and the same bits.
	Recompute bool `json:"-"`

	// OffloadOptimizer keeps the moments of AdamW, in all its forms, in the machine's memory on devices with memory of their own, and
	// brings each parameter's to the device for its update: the same bits for less of the device's memory, and for the time
	// of two copies of the moments in every update. On other devices it changes nothing; nor do the other optimizers need it,
	// whose state is never on the device.
	OffloadOptimizer bool `json:"-"`

	// Devices are those that train the model at once, its own among them and all of one kind; nil for its own alone. Each has a copy
	// of the model and makes the gradients of a share of every update's examples, of about as many tokens as the others'; those
	// are added on the model's own device, which alone makes the update, holds the optimizer's state, measures and writes
	// checkpoints. The loss is divided by the supervised tokens of the whole update, and no random number depends on where an
	// example goes, so that the results are those of one device but for the rounding of sums, which have the same bits on the
	// same number of devices. A run may be taken up again on another number. An Objective's parts must have On; other models that they ask
	// are copied to every device.
	Devices []backend.Backend `json:"-"`

	// MemoryLimit is what the run may take on a device besides the model, in bytes; 0 means what the device has. A run that is estimated
	// to take more is refused.
	MemoryLimit int64 `json:"-"`

	// Objective is made small in place of the next token's negative log-likelihood; nil for that one.
	Objective     *Objective `json:"-"`
	ObjectiveName string     `json:",omitempty"` // set from Objective

	Weights []float64 `json:",omitempty"` // of each source's tokens in the loss, by source index; empty means 1

	Validation    []data.Sequence `json:"-"` // what Report.Validation is measured on; it changes no result but through Score
	ValidateEvery int             `json:"-"` // updates between measurements, the last update always; 100

	// Patience, where more than 0, ends the run when the score of so many measurements in a row is not better by more than
	// MinDelta than the best before. Best makes the run end in the parameters of the best score; Patience does so too.
	// The score is Score's, larger being better, or, where it is nil, the negative mean of the validation losses.
	// ScoreName stands for Score in the run's identity.
	Patience  int                                   `json:",omitempty"`
	MinDelta  float64                               `json:",omitempty"`
	Best      bool                                  `json:",omitempty"`
	Score     func(m *model.Model) (float64, error) `json:"-"`
	ScoreName string                                `json:",omitempty"`

	Dir   string // where checkpoints go; empty for none
	Every int    // updates between checkpoints; 100
	Keep  int    // checkpoints kept, that of the best score not counted; 2
}

// scored tells whether measurements have a score, keepsBest whether the run depends on it.
func (c *Config) scored() bool    { return c.Score != nil || c.keepsBest() }
func (c *Config) keepsBest() bool { return c.Patience > 0 || c.Best }

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
	if c.Optimizer == "" {
		c.Optimizer = "adamw"
	}
	switch c.Optimizer {
	case "lion":
		setf(&c.Beta1, 0.9)
		setf(&c.Beta2, 0.99)
	case "adamw", "adamw-bf16", "adamw8bit":
		setf(&c.Beta1, 0.9)
		setf(&c.Beta2, 0.999)
		setf(&c.Eps, 1e-8)
	}
	setf(&c.Clip, 1)
	if c.Schedule == "" {
		c.Schedule = "cosine"
	}
	if c.Precision == "" {
		c.Precision = "f32"
	}
	if c.Objective != nil {
		c.ObjectiveName = c.Objective.Name
	}
	return c
}

// Check returns an error that names the first field that cannot be.
func (c Config) Check() error {
	bad := func(field string, is any, want string) error {
		return fmt.Errorf("train.Config: %s: is %v; wanted %s", field, is, want)
	}
	finite := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	if c.Objective != nil {
		if err := c.Objective.check(); err != nil {
			return err
		}
		if len(c.Weights) > 0 {
			return bad("Weights", c.Weights, "none with an Objective, whose parts have weights")
		}
	}
	for i, g := range c.Groups {
		if !(g.LR >= 0) || !finite(g.LR) || g.WeightDecay < 0 && g.WeightDecay != -1 || !finite(g.WeightDecay) {
			return bad(fmt.Sprintf("Groups[%d]", i), fmt.Sprintf("%+v", g), "LR of 0 or more and WeightDecay of 0 or more, or -1")
		}
	}
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
	case c.Schedule != "" && !slices.Contains(Schedules, c.Schedule):
		return bad("Schedule", fmt.Sprintf("%q", c.Schedule), "one of "+strings.Join(Schedules, ", "))
	case c.Optimizer != "" && !slices.Contains(Optimizers, c.Optimizer):
		return bad("Optimizer", fmt.Sprintf("%q", c.Optimizer), "one of "+strings.Join(Optimizers, ", "))
	case c.Decay < 0:
		return bad("Decay", c.Decay, "a number of updates, or 0 for 10 %")
	case c.Momentum < 0 || c.Momentum >= 1 || !finite(c.Momentum):
		return bad("Momentum", c.Momentum, "in [0, 1)")
	case c.Optimizer != "sgd" && (c.Momentum != 0 || c.Nesterov):
		return bad("Momentum", c.Momentum, `0 and no Nesterov, which are of "sgd"`)
	case c.Nesterov && c.Momentum == 0:
		return bad("Nesterov", true, "a Momentum above 0 with it")
	case c.Precision != "" && c.Precision != "f32" && c.Precision != "bf16":
		return bad("Precision", fmt.Sprintf("%q", c.Precision), `"f32" or "bf16"`)
	case c.Precision == "bf16" && c.LoRA.Rank > 0:
		return bad("Precision", `"bf16"`, `"f32" with LoRA: adapters are trained in float32, and the weights below them stay as they are`)
	case c.EMA < 0 || c.EMA >= 1 || !finite(c.EMA):
		return bad("EMA", c.EMA, "a decay in [0, 1), such as 0.999, or 0 for no average")
	case !(c.NEFTune >= 0) || !finite(c.NEFTune):
		return bad("NEFTune", c.NEFTune, "0 or more, such as 5")
	case c.MemoryLimit < 0:
		return bad("MemoryLimit", c.MemoryLimit, "a number of bytes")
	case c.Patience < 0:
		return bad("Patience", c.Patience, "a number of measurements, or 0 to go on to the end")
	case c.MinDelta < 0 || !finite(c.MinDelta):
		return bad("MinDelta", c.MinDelta, "0 or more")
	case c.keepsBest() && c.Score == nil && len(c.Validation) == 0:
		return bad("Patience, Best", c.Patience, "validation sets, or a Score, with it")
	case c.Score != nil && c.ScoreName == "":
		return bad("ScoreName", `""`, "a name for Score, which stands for it in the run's identity")
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
	case c.LoRA.Rank == 0 && (c.LoRA.DoRA || c.LoRA.RSLoRA):
		return bad("LoRA.Rank", 0, "at least 1 with DoRA or RSLoRA")
	case c.ValidateEvery < 0:
		return bad("ValidateEvery", c.ValidateEvery, "a number of updates")
	case c.Every < 0:
		return bad("Every", c.Every, "a number of updates")
	case c.Keep < 0:
		return bad("Keep", c.Keep, "at least 1")
	}
	return nil
}
