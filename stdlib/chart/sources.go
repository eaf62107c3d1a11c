package chart

import (
	"fmt"
	"math"

	"tunebook/stdlib/data"
	"tunebook/stdlib/stop"
	"tunebook/stdlib/train"
)

// LossBySource returns the training loss of each source of a run against the update, each point the mean of window updates.
// Updates that held nothing of a source are left out of its means.
func LossBySource(r *train.Result, window int) *Chart {
	const op = "chart.LossBySource"
	if r == nil || len(r.Log) == 0 {
		stop.Now(op, "the run has no updates", "")
	}
	if window < 1 {
		stop.Now(op, fmt.Sprintf("a window of %d updates; wanted 1 or more", window), "")
	}
	var all []Series
	for i, name := range r.Sources {
		s := Series{Name: name}
		for from := 0; from < len(r.Log); from += window {
			sum, n := 0.0, 0
			part := r.Log[from:min(from+window, len(r.Log))]
			for _, l := range part {
				if i < len(l.BySource) && !math.IsNaN(l.BySource[i]) {
					sum, n = sum+l.BySource[i], n+1
				}
			}
			if n > 0 {
				s.X, s.Y = append(s.X, float64(part[len(part)-1].Step)), append(s.Y, sum/float64(n))
			}
		}
		if len(s.Y) > 0 {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		stop.Now(op, "the run's updates do not tell sources apart", "")
	}
	return Curves("Training loss by source", "update", "nats per supervised token", all...)
}

// Mix returns what a mix is made of: from each source the rows that were drawn, with repeats apart, and those that were not.
func Mix(set *data.Set) *Chart {
	const op = "chart.Mix"
	m := set.Manifest()
	if m == nil {
		stop.Now(op, fmt.Sprintf("%s is no mix", set.Name()), "data.Mix and data.Blend make one")
	}
	const drawn, repeats, left = "in the mix", "in the mix again", "not in the mix"
	var flows []Flow
	for _, s := range m.Sources {
		for _, f := range []Flow{{s.Name, drawn, float64(s.Drawn - s.Repeated)}, {s.Name, repeats, float64(s.Repeated)}, {s.Name, left, float64(s.Unused)}} {
			if f.Value > 0 {
				flows = append(flows, f)
			}
		}
	}
	return Sankey("What "+set.Name()+" is made of", "rows", flows...)
}
