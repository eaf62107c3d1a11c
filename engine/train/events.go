package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Report is what one update did.
type Report struct {
	Step, Total int     // updates done, of how many
	Epoch       int     // from 0
	Loss        float64 // negative log-likelihood per supervised token of this update, in nats
	LR          float64
	GradNorm    float64 // before clipping
	Supervised  int     // supervised tokens of this update
	Tokens      int     // all tokens of this update
	BySource    Losses  // loss per supervised token by source index; NaN where the update had none
	Validation  Losses  `json:",omitempty"` // after this update, by validation source; nil where it was not measured
	Score       float64 `json:",omitempty"` // after this update, larger being better; see Config.Score
	Scored      bool    `json:",omitempty"` // whether there is a Score
	Note        string  `json:"-"`          // what went wrong beside the update: a checkpoint that could not be written
}

// Values returns the report's numbers by the names that a record has for them. sources and held name the entries of
// BySource and Validation.
func (r Report) Values(sources, held []string) map[string]float64 {
	v := map[string]float64{"loss": r.Loss, "learning rate": r.LR, "gradient norm": r.GradNorm, "tokens": float64(r.Tokens), "supervised tokens": float64(r.Supervised)}
	for i, x := range r.BySource {
		if len(sources) > 1 {
			v["loss/"+sources[i]] = x
		}
	}
	for i, x := range r.Validation {
		v["validation/"+held[i]] = x
	}
	if r.Scored {
		v["score"] = r.Score
	}
	return v
}

// Losses are losses per supervised token, in nats, by source. NaN, for a source without tokens, is null in JSON.
type Losses []float64

// MarshalJSON writes NaN and infinities as null, and every other number so that it is read back to the same bits.
func (l Losses) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("null"), nil
	}
	out := make([]*float64, len(l))
	for i := range l {
		if !bad(l[i]) {
			out[i] = &l[i]
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads null as NaN.
func (l *Losses) UnmarshalJSON(b []byte) error {
	var in []*float64
	if err := json.Unmarshal(b, &in); err != nil || in == nil {
		*l = nil
		return err
	}
	*l = make(Losses, len(in))
	for i, x := range in {
		(*l)[i] = math.NaN()
		if x != nil {
			(*l)[i] = *x
		}
	}
	return nil
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
	Rows           []RowLoss // of the batch, each on its own, those whose loss is not finite or else the largest first; at most four
	Of             int       // examples of the batch
	Param          string    // the first parameter whose gradient is not finite; empty where all are
	Weight         string    // the first parameter that is not finite itself; empty where all are
	Checkpoint     string    // of the update before; empty where none was written
}

// RowLoss is the loss of one example alone.
type RowLoss struct {
	Source string
	Row    int
	Loss   float64 // per supervised token
}

func (e *NonFinite) Error() string {
	var rows []string
	for _, r := range e.Rows {
		rows = append(rows, fmt.Sprintf("%s row %d (loss %.4g)", r.Source, r.Row, r.Loss))
	}
	s := fmt.Sprintf("train.Run: step %d: loss is %g, gradient norm is %g (learning rate %g); wanted finite numbers; lower LR", e.Step, e.Loss, e.GradNorm, e.LR)
	if len(rows) > 0 {
		s += fmt.Sprintf(", or look at the batch's %d rows: %s", e.Of, strings.Join(rows, ", "))
		if len(rows) < e.Of {
			s += ", …"
		}
	}
	if e.Weight != "" {
		s += fmt.Sprintf("; %s is not finite after step %d", e.Weight, e.Step-1)
	} else if e.Param != "" {
		s += fmt.Sprintf("; the gradient of %s is not finite", e.Param)
	}
	if e.Checkpoint != "" {
		s += "; the last good weights are in " + e.Checkpoint
	}
	return s
}
