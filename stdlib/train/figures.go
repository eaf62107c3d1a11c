package train

import (
	"fmt"
	"math"
	"time"

	"tunebook/engine/backend"
	emodel "tunebook/engine/model"
	store "tunebook/engine/runs"
	core "tunebook/engine/train"
	"tunebook/stdlib/host"
	"tunebook/stdlib/model"
)

// figures are what is seen of a run while it goes on: smoothed losses, speed, memory.
type figures struct {
	t       *core.Trainer
	devs    []backend.Backend
	sources []string
	start   time.Time

	loss     float64 // smoothed; NaN before the first update
	bySource running
	held     string // the validation sets' mean loss
	tokens   int
	flops    float64
	peak     float64 // of the devices together; 0 before it is known
	memory   int64   // bytes that the process holds
	looked   time.Time
}

func newFigures(t *core.Trainer, devs []backend.Backend, sources []string) *figures {
	return &figures{t: t, devs: devs, sources: sources, start: time.Now(), loss: math.NaN()}
}

func (f *figures) seconds() float64 { return time.Since(f.start).Seconds() }

// add takes an update in and returns its figures for the record.
func (f *figures) add(r Report) map[string]float64 {
	if math.IsNaN(f.loss) {
		f.loss = r.Loss
	}
	f.loss += 0.1 * (r.Loss - f.loss)
	f.bySource.add(r.BySource)
	if r.Validation != nil {
		f.held = ", held out " + number(mean(r.Validation))
	}
	f.tokens += r.Tokens
	f.flops += f.t.FLOPs(r)
	s := f.seconds()
	v := map[string]float64{"seconds": s, "tokens per second": float64(f.tokens) / s}
	if f.peak == 0 && s > 1 { // a run of a moment is not worth the measurement
		if p, err := core.Peak(f.devs[0]); err == nil {
			f.peak = p * float64(len(f.devs))
		}
	}
	if f.peak > 0 {
		v["share of peak"] = f.flops / s / f.peak
	}
	if time.Since(f.looked) > time.Second/2 {
		f.memory, f.looked = store.Resident(), time.Now()
	}
	if f.memory > 0 {
		v["memory"] = float64(f.memory)
	}
	return v
}

// line is the note of the progress line: what stands behind step, rate and time left.
func (f *figures) line(r Report) string {
	s := fmt.Sprintf("loss %.3f%s%s, lr %.2g", f.loss, f.bySource.note(f.sources), f.held, r.LR)
	if secs := f.seconds(); secs > 0 {
		s += fmt.Sprintf(", %.0f tokens/s", float64(f.tokens)/secs)
		if f.peak > 0 {
			s += fmt.Sprintf(", %.0f %% of peak", 100*f.flops/secs/f.peak)
		}
	}
	if f.memory > 0 {
		s += fmt.Sprintf(", %.2f GB", float64(f.memory)/1e9)
	}
	return s
}

// sample asks the model the prompts as it is now. Ctrl-C meanwhile ends the sampling alone: the run sees it next.
func sample(tuned *emodel.Model, step int, r *Result, k *record, cfg Config) {
	defer func() {
		if e := recover(); e != nil && host.Context().Err() == nil {
			panic(e)
		}
	}()
	m := model.Wrap(tuned)
	for i, prompt := range cfg.Sample {
		var said string
		if tuned.Template != nil {
			said = m.Ask(prompt, cfg.SampleMax)
		} else {
			said = m.Complete(prompt, cfg.SampleMax)
		}
		r.Samples = append(r.Samples, Sample{step, prompt, said})
		k.sample(step, i, prompt, said)
		if !cfg.Quiet {
			fmt.Fprintf(host.Stderr(), "step %d: %s → %s\n", step, shown(prompt), shown(said))
		}
	}
}

// shown is a text on one line, cut.
func shown(s string) string {
	if r := []rune(s); len(r) > 200 {
		s = string(r[:199]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
