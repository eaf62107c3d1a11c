package train

import (
	"errors"
	"fmt"
	"strings"
)

// Report is what one update did.
type Report struct {
	Step, Total int     // updates done, of how many
	Epoch       int     // from 0
	Loss        float64 // negative log-likelihood per supervised token of this update, in nats
	LR          float64
	GradNorm    float64   // before clipping
	Supervised  int       // supervised tokens of this update
	Tokens      int       // all tokens of this update
	BySource    []float64 `json:"-"` // loss per supervised token by source index; NaN where the update had none
}

// ErrInterrupted is returned when the context ends before the last update. The updates done so far are kept, and a
// checkpoint was written where Config.Dir is set.
var ErrInterrupted = errors.New("train.Run: interrupted")

// NonFinite is returned when the loss or the gradient norm of an update is NaN or infinite. The update was not made:
// the weights are those after the update before.
type NonFinite struct {
	Step           int // the update that failed, from 1
	Loss, GradNorm float64
	LR             float64
	Sources        []string // some of the batch's examples
}

func (e *NonFinite) Error() string {
	return fmt.Sprintf("train.Run: step %d: loss is %g, gradient norm is %g (learning rate %g); wanted finite numbers; lower LR, or look at the rows of this batch: %s, …",
		e.Step, e.Loss, e.GradNorm, e.LR, strings.Join(e.Sources, ", "))
}
