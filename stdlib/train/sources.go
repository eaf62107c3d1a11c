package train

import (
	"fmt"
	"math"
	"strings"

	core "tunebook/engine/train"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Losses are losses per supervised token by source, in nats; NaN for a source without tokens.
type Losses = core.Losses

// LossBySource returns the mean training loss of each source over the last tenth of the updates, in the order of Sources,
// each update counted once; NaN for a source that they had no token of.
func (r *Result) LossBySource() Losses {
	return r.meanBySource(r.Log[len(r.Log)-max(1, len(r.Log)/10):])
}

func (r *Result) meanBySource(log []Report) Losses {
	out := make(Losses, len(r.Sources))
	for s := range out {
		n := 0
		for _, l := range log {
			if s < len(l.BySource) && !math.IsNaN(l.BySource[s]) {
				out[s] += l.BySource[s]
				n++
			}
		}
		out[s] /= float64(n)
	}
	return out
}

// ValidationLoss returns the loss of each validation set after the last update, in the order of Held.
func (r *Result) ValidationLoss() Losses {
	if len(r.Held) == 0 {
		stop.Now("train.ValidationLoss", "the run has no validation sets", "set Config.Validation")
	}
	return r.Log[len(r.Log)-1].Validation
}

// ValidationCurve returns the loss of one validation set against the update, for a chart.
func (r *Result) ValidationCurve(name string) (step, loss []float64) {
	for i, h := range r.Held {
		if h != name {
			continue
		}
		for _, l := range r.Log {
			if i < len(l.Validation) {
				step, loss = append(step, float64(l.Step)), append(loss, l.Validation[i])
			}
		}
		return step, loss
	}
	stop.Now("train.ValidationCurve", fmt.Sprintf("no validation set is called %q; there are %s", name, strings.Join(r.Held, ", ")), "")
	return nil, nil
}

// StepTokens returns the fewest, the mean and the most tokens of an update. All of them are examples' own: documents are
// packed without padding.
func (r *Result) StepTokens() (least int, mean float64, most int) {
	least = math.MaxInt
	for _, l := range r.Log {
		least, most = min(least, l.Tokens), max(most, l.Tokens)
		mean += float64(l.Tokens) / float64(len(r.Log))
	}
	return least, mean, most
}

// Show gives the run in two sentences and, where there are several sources or validation sets, their losses.
func (r *Result) Show() (text, html string) {
	least, mean, most := r.StepTokens()
	s := fmt.Sprintf("%s: %d updates on %d examples, loss %.3f to %.3f, %d trained parameters, %d tokens in %.1f s; %d to %d tokens an update, %.0f in the mean, none of them padding",
		r.Model.Name(), len(r.Log), r.Mix.Len(), r.Log[0].Loss, r.FinalLoss(), r.Trainable, r.Tokens, r.Seconds, least, most, mean)
	if r.Kept > 0 {
		s += fmt.Sprintf("; the weights are those of update %d, the best score", r.Kept)
	}
	if r.Stopped != "" {
		s += "; stopped early: " + r.Stopped
	}
	if len(r.Sources) < 2 && len(r.Held) == 0 {
		return s, ""
	}
	g := &grid.Table{Caption: s, Columns: []grid.Column{{Name: "source"}, {Name: "first loss", Right: true}, {Name: "last loss", Right: true}}}
	tenth := max(1, len(r.Log)/10)
	first, last := r.meanBySource(r.Log[:tenth]), r.LossBySource()
	for i, name := range r.Sources {
		g.Rows = append(g.Rows, []string{name, number(first[i]), number(last[i])})
	}
	var measured []Report
	for _, l := range r.Log {
		if l.Validation != nil {
			measured = append(measured, l)
		}
	}
	if len(measured) > 0 {
		for i, name := range r.Held {
			g.Rows = append(g.Rows, []string{name + " (validation)", number(measured[0].Validation[i]), number(measured[len(measured)-1].Validation[i])})
		}
		g.Notes = append(g.Notes, fmt.Sprintf("validation was measured %d times, first after update %d", len(measured), measured[0].Step))
	}
	g.Notes = append(g.Notes, fmt.Sprintf("nats per supervised token; training: means of %d updates", tenth))
	return g.Text(), g.HTML()
}

func number(x float64) string {
	if math.IsNaN(x) {
		return "–"
	}
	return fmt.Sprintf("%.3f", x)
}

// mean returns the mean of losses, each set counted once.
func mean(l Losses) float64 {
	sum := 0.0
	for _, x := range l {
		sum += x / float64(len(l))
	}
	return sum
}

// running are the smoothed losses of the sources, for the progress line.
type running []float64

func (l *running) add(now []float64) {
	for len(*l) < len(now) {
		*l = append(*l, math.NaN())
	}
	for i, x := range now {
		switch {
		case math.IsNaN(x):
		case math.IsNaN((*l)[i]):
			(*l)[i] = x
		default:
			(*l)[i] += 0.1 * (x - (*l)[i])
		}
	}
}

// note names a few sources with their losses, none where there is one source.
func (l running) note(sources []string) string {
	if len(sources) < 2 {
		return ""
	}
	var out []string
	for i, x := range l {
		if i == 3 {
			out = append(out, "…")
			break
		}
		out = append(out, sources[i]+" "+number(x))
	}
	return " (" + strings.Join(out, ", ") + ")"
}
