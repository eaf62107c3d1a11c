package runs

import (
	"fmt"
	"html"
	"slices"

	core "tunebook/engine/runs"
	"tunebook/stdlib/chart"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Comparison is two runs or more beside each other: what went into them differently, where their metrics ended, and the
// curves of their losses.
type Comparison struct {
	Runs   List
	Metric string // whose curves are drawn: "loss"
}

// Compare puts runs beside each other.
func Compare(all ...*Run) *Comparison {
	if len(all) < 2 {
		stop.Now("runs.Compare", fmt.Sprintf("%d runs given; wanted two or more", len(all)), "")
	}
	return &Comparison{Runs: all, Metric: "loss"}
}

// Show gives the differences, the last values of the metrics, and the curves.
func (c *Comparison) Show() (text, page string) {
	infos := make([]*core.Run, len(c.Runs))
	inputs := &grid.Table{Caption: "inputs that differ", Columns: []grid.Column{{Name: "setting"}}}
	last := &grid.Table{Caption: "metrics at the end", Columns: []grid.Column{{Name: "metric"}}}
	var names []string
	var curves []chart.Series
	for i, r := range c.Runs {
		infos[i] = &r.Info
		inputs.Columns = append(inputs.Columns, grid.Column{Name: r.ID})
		last.Columns = append(last.Columns, grid.Column{Name: r.ID, Right: true})
		for _, n := range r.Metrics() {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		if slices.Contains(r.Metrics(), c.Metric) {
			x, y := r.Curve(c.Metric)
			curves = append(curves, chart.Series{Name: r.ID, X: x, Y: y})
		}
	}
	same := 0
	for _, s := range core.Settings(infos...) {
		if !s.Differ() {
			same++
			continue
		}
		row := []string{s.Name}
		for _, v := range s.Values {
			if v == "" {
				v = "–"
			}
			row = append(row, v)
		}
		inputs.Rows = append(inputs.Rows, row)
	}
	inputs.Notes = append(inputs.Notes, fmt.Sprintf("%d settings are the same", same))
	slices.Sort(names)
	for _, n := range names {
		row := []string{n}
		for _, r := range c.Runs {
			v := "–"
			if slices.Contains(r.Metrics(), n) {
				_, y := r.Curve(n)
				v = fmt.Sprintf("%.5g", y[len(y)-1])
			}
			row = append(row, v)
		}
		last.Rows = append(last.Rows, row)
	}
	state := []string{"state"}
	for _, r := range c.Runs {
		state = append(state, r.State())
	}
	last.Rows = append([][]string{state}, last.Rows...)
	text, page = inputs.Text()+"\n"+last.Text(), inputs.HTML()+last.HTML()
	if len(curves) > 0 {
		t, h := chart.Curves(c.Metric, "step", c.Metric, curves...).Show()
		return text + "\n" + t, page + h
	}
	return text, page + "<p>" + html.EscapeString("no run has the metric "+c.Metric) + "</p>"
}

// String is what Show gives in text, for fmt.Println.
func (c *Comparison) String() string { text, _ := c.Show(); return text }
