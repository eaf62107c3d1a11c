package runs

import (
	"fmt"
	"strings"
	"time"

	core "tunebook/engine/runs"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Run is a run in the store.
type Run struct {
	Info
	s *core.Store
}

// Info is what the store knows of a run: its inputs, its state, its last loss.
type Info = core.Run

// Status is how far a run has come: "running", "completed", "failed", "interrupted", "died".
type Status = core.Status

// File is a content-addressed file of a run.
type File = core.File

// Git is the state of the repository that the notebook lay in.
type Git = core.Git

// System is the machine that a run was made on.
type System = core.System

// Sample is a piece of a model's output, taken on the way.
type Sample = core.Sample

// List is several runs; it shows itself as a table.
type List []*Run

// Wrap makes scripts' runs of a store's.
func Wrap(s *core.Store, all ...*core.Run) List {
	out := make(List, len(all))
	for i, r := range all {
		out[i] = &Run{*r, s}
	}
	return out
}

// All returns every run in the store, the oldest first.
func All() List {
	const op = "runs.All"
	s := existing(op)
	all, err := s.List()
	stop.If(op, err)
	return Wrap(s, all...)
}

// Find returns the run whose ID begins with id.
func Find(id string) *Run {
	const op = "runs.Find"
	s := existing(op)
	r, err := s.Find(id)
	stop.If(op, err)
	return Wrap(s, r)[0]
}

// Metrics returns the names of what was measured: "loss", "loss/<source>", "validation/<set>", "learning rate", …
func (r *Run) Metrics() []string {
	names, err := r.s.Metrics(r.ID)
	stop.If("runs.Metrics", err)
	return names
}

// Curve returns a metric by step, for a chart.
func (r *Run) Curve(metric string) (step, value []float64) {
	points, err := r.s.Curve(r.ID, metric)
	stop.If("runs.Curve", err)
	if len(points) == 0 {
		stop.Now("runs.Curve", fmt.Sprintf("run %s has no metric %q; it has %s", r.ID, metric, strings.Join(r.Metrics(), ", ")), "")
	}
	for _, p := range points {
		step, value = append(step, float64(p.Step)), append(value, p.Value)
	}
	return step, value
}

// Samples returns the output that was sampled on the way.
func (r *Run) Samples() []Sample {
	x, err := r.s.Samples(r.ID)
	stop.If("runs.Samples", err)
	return x
}

// Show gives all that is known of the run.
func (r *Run) Show() (text, html string) {
	g := &grid.Table{Caption: fmt.Sprintf("run %s: %s, %s", r.ID, r.Name, r.State()), Columns: []grid.Column{{Name: "what"}, {Name: "value"}}}
	add := func(name, value string) {
		if value != "" {
			g.Rows = append(g.Rows, []string{name, value})
		}
	}
	add("started", r.Started.Format(time.DateTime))
	if !r.Ended.IsZero() {
		add("ended", r.Ended.Format(time.DateTime))
	}
	add("trained for", fmt.Sprintf("%.1f s, %d tokens", r.Seconds, r.Tokens))
	for _, s := range core.Settings(&r.Info) {
		add(s.Name, s.Values[0])
	}
	add("notebook", r.Notebook)
	if g := r.Git; g != nil {
		where := g.Commit
		if g.Branch != "" {
			where += " on " + g.Branch
		}
		add("git", strings.TrimSpace(where+", notebook "+g.Notebook+" "+g.Error))
	}
	add("machine", fmt.Sprintf("%s, %s, %d cores, %s", r.System.Host, r.System.CPU, r.System.Cores, r.System.OS))
	for _, n := range r.Metrics() {
		step, v := r.Curve(n)
		add(n, fmt.Sprintf("%.4g at step %.0f, %.4g at step %.0f", v[0], step[0], v[len(v)-1], step[len(step)-1]))
	}
	for _, f := range r.Files {
		add(f.Role, fmt.Sprintf("%d bytes, %.12s", f.Size, f.Hash))
	}
	if dir, size := r.s.Checkpoints(&r.Info); dir != "" {
		add("checkpoints", fmt.Sprintf("%d bytes in %s", size, dir))
	}
	for _, x := range r.Samples() {
		add(fmt.Sprintf("sample at step %d", x.Step), x.Prompt+" → "+x.Output)
	}
	if r.Reused > 0 {
		g.Notes = append(g.Notes, fmt.Sprintf("asked for again and reused %d times", r.Reused))
	}
	return g.Text(), g.HTML()
}

// String is what Show gives in text, for fmt.Println.
func (r *Run) String() string { text, _ := r.Show(); return text }

// Show gives a line for each run.
func (l List) Show() (text, html string) {
	g := &grid.Table{Columns: []grid.Column{{Name: "run"}, {Name: "started"}, {Name: "base"}, {Name: "data"}, {Name: "state"}, {Name: "loss", Right: true}, {Name: "seconds", Right: true}, {Name: "reused", Right: true}}}
	for _, r := range l {
		loss := "–"
		if r.Loss != nil && r.Step > 0 {
			loss = fmt.Sprintf("%.4g", *r.Loss)
		}
		g.Rows = append(g.Rows, []string{r.ID, r.Started.Format(time.DateTime), r.BaseName, r.Name, r.State(), loss, fmt.Sprintf("%.1f", r.Seconds), fmt.Sprint(r.Reused)})
	}
	g.Caption = grid.Plural(len(l), "run")
	return g.Text(), g.HTML()
}

// String is what Show gives in text, for fmt.Println.
func (l List) String() string { text, _ := l.Show(); return text }
