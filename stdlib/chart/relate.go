package chart

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Points is a named set of points. Labels may be nil; otherwise there is one for each point.
type Points struct {
	Name   string
	X, Y   []float64
	Labels []string
}

// Scatter returns points in the plane. Labels stand beside their points where there are at most 60, and in the tooltips always.
func Scatter(title, xName, yName string, sets ...Points) *Chart {
	const op = "chart.Scatter"
	if len(sets) == 0 {
		stop.Now(op, "0 sets of points; wanted at least one", "")
	}
	k := kind{title: title, xName: xName, yName: yName, what: "Scatter plot",
		table: grid.Table{Columns: []grid.Column{{Name: "set"}, {Name: "label"}, {Name: xName, Right: true}, {Name: yName, Right: true}}}}
	labelled := 0
	for _, s := range sets {
		if len(s.X) != len(s.Y) || s.Labels != nil && len(s.Labels) != len(s.X) {
			stop.Now(op, fmt.Sprintf("set %q has %d x, %d y and %d labels; wanted as many", s.Name, len(s.X), len(s.Y), len(s.Labels)), "")
		}
		labelled += len(s.Labels)
		k.points += len(s.X)
	}
	var list []map[string]any
	var flat []series
	step := (k.points + tableRows - 1) / tableRows
	n := 0
	for i, s := range sets {
		var data [][]any
		var tips, labels []string
		one := series{name: s.Name}
		for j, x := range s.X {
			y := s.Y[j]
			if finite(x) == nil || finite(y) == nil {
				k.lost++
				continue
			}
			label, tip := "", short(x)+", "+short(y)
			if s.Labels != nil {
				label = grid.Visible(s.Labels[j])
				tip = label + ": " + tip
			}
			data, labels = append(data, []any{x, y}), append(labels, label)
			if k.points <= 20_000 {
				tips = append(tips, tip)
			}
			one.points = append(one.points, point{x: x, y: y})
			if n++; step <= 1 || (n-1)%step == 0 {
				k.table.Rows = append(k.table.Rows, []string{s.Name, label, short(x), short(y)})
			}
		}
		flat = append(flat, one)
		k.tips = append(k.tips, tips)
		o := map[string]any{"type": "scatter", "name": grid.Visible(s.Name), "data": data, "symbol": symbols[i%len(symbols)], "symbolSize": 8}
		if labelled > 0 && labelled <= 60 && s.Labels != nil {
			o["label"] = map[string]any{"position": "right", "width": 110, "overflow": "truncate"}
			o["labelLayout"] = map[string]any{"hideOverlap": true}
			k.labels = append(k.labels, labels)
		} else {
			k.labels = append(k.labels, nil)
		}
		list = append(list, o)
	}
	if step > 1 {
		k.table.Notes = append(k.table.Notes, fmt.Sprintf("every %dth of %d points", step, k.points))
	}
	if k.points > 20_000 {
		k.notes = append(k.notes, fmt.Sprintf("%d points, drawn without tooltips", k.points))
	}
	side := 30
	if labelled > 0 && labelled <= 60 {
		side = 120 // labels stand to the right of their points
	}
	k.option = map[string]any{"xAxis": numbers(xName, 30), "yAxis": numbers(yName, 44), "grid": room(side), "tooltip": map[string]any{"trigger": "item"}, "series": list,
		"legend": map[string]any{"show": len(sets) > 1, "type": "scroll", "top": 0, "left": "center"}}
	c := k.chart(op)
	c.plot = newPlot(axes{xName: xName, yName: yName, dots: true}, flat)
	return c
}

// Effect is a difference with its interval, in the unit of the axis.
type Effect struct {
	Name         string
	Mean, Lo, Hi float64
}

// Forest returns differences one below the other, each with its interval, and a line at no difference.
func Forest(title, xName string, effects ...Effect) *Chart {
	const op = "chart.Forest"
	if len(effects) == 0 {
		stop.Now(op, "0 effects; wanted at least one", "")
	}
	k := kind{title: title, xName: xName, what: "Forest plot", points: len(effects), rows: len(effects),
		table: grid.Table{Columns: []grid.Column{{Name: "comparison"}, {Name: xName, Right: true}, {Name: "low", Right: true}, {Name: "high", Right: true}}}}
	var labels, tips []string
	var means, spans, shape [][]any
	lo, hi := 0.0, 0.0
	for i, e := range effects {
		labels = append(labels, e.Name)
		k.table.Rows = append(k.table.Rows, []string{e.Name, short(e.Mean), short(e.Lo), short(e.Hi)})
		if finite(e.Mean) == nil || finite(e.Lo) == nil || finite(e.Hi) == nil {
			k.lost++
			tips = append(tips, "")
			means, spans, shape = append(means, []any{nil, i}), append(spans, []any{nil, nil, i}), append(shape, []any{nil, nil, i})
			continue
		}
		lo, hi = min(lo, e.Lo), max(hi, e.Hi)
		tips = append(tips, fmt.Sprintf("%s: %s (%s to %s)", e.Name, short(e.Mean), short(e.Lo), short(e.Hi)))
		means = append(means, []any{e.Mean, i})
		spans, shape = append(spans, []any{e.Lo, e.Hi, i}), append(shape, []any{e.Lo, e.Hi, i})
	}
	k.tips = [][]string{nil, tips}
	k.draw = map[string]draw{"0": {Kind: "sideways", Points: shape}}
	rows := categories("", labels, 0)
	rows["inverse"] = true
	k.option = map[string]any{"xAxis": numbers(xName, 30), "yAxis": rows, "grid": room(30), "tooltip": map[string]any{"trigger": "item"},
		"series": []map[string]any{{"type": "custom", "name": grid.Visible(xName), "data": spans, "encode": map[string]any{"x": []int{0, 1}, "y": 2}},
			{"type": "scatter", "name": grid.Visible(xName), "data": means, "symbol": "rect", "symbolSize": 10, "markLine": map[string]any{"data": []any{map[string]any{"xAxis": 0}}}}}}
	name := widest(labels, 24)
	w := 68 - name
	at := func(v float64) int {
		if hi == lo {
			return w / 2
		}
		return int(math.Round((v - lo) / (hi - lo) * float64(w-1)))
	}
	for _, e := range effects {
		line := []rune(strings.Repeat(" ", w))
		line[at(0)] = '┊'
		if finite(e.Mean) != nil && finite(e.Lo) != nil && finite(e.Hi) != nil {
			for c := at(e.Lo); c <= at(e.Hi); c++ {
				line[c] = '─'
			}
			line[at(e.Lo)], line[at(e.Hi)] = '├', '┤'
			line[at(e.Mean)] = '■'
		}
		k.lines = append(k.lines, column(e.Name, name)+"  "+strings.TrimRight(string(line), " "))
	}
	k.lines = append(k.lines, scaleLine(name+2, w, lo, hi))
	return k.chart(op)
}

// Differences returns comparisons of scores as a forest plot: names[i] says what differences[i] compares.
func Differences(title string, names []string, differences []eval.Difference) *Chart {
	const op = "chart.Differences"
	if len(names) != len(differences) {
		stop.Now(op, fmt.Sprintf("%d names and %d differences; wanted as many", len(names), len(differences)), "")
	}
	var effects []Effect
	var metrics []string
	for i, d := range differences {
		scale := 100.0
		if d.Unit == 1 {
			scale = 1
		}
		effects = append(effects, Effect{names[i], scale * d.Mean, scale * d.Lo, scale * d.Hi})
		if !slices.Contains(metrics, d.Metric) {
			metrics = append(metrics, d.Metric)
		}
	}
	return Forest(title, "difference in "+strings.Join(metrics, ", "), effects...)
}

// Flow is how much goes from one place to another.
type Flow struct {
	From, To string
	Value    float64
}

// Sankey returns flows as bands between places, from the left to the right: what a mix is made of, for one. A value that is
// not above 0 and a circle of flows are refused.
func Sankey(title, unit string, flows ...Flow) *Chart {
	const op = "chart.Sankey"
	if len(flows) == 0 {
		stop.Now(op, "0 flows; wanted at least one", "")
	}
	k := kind{title: title, what: "Flow diagram", points: len(flows),
		table: grid.Table{Columns: []grid.Column{{Name: "from"}, {Name: "to"}, {Name: unit, Right: true}}}}
	var places []string
	next := map[string][]string{}
	var links []map[string]any
	most := 0.0
	for _, f := range flows {
		if !(f.Value > 0) || finite(f.Value) == nil {
			stop.Now(op, fmt.Sprintf("the flow from %q to %q is %v; wanted a number above 0", f.From, f.To, f.Value), "")
		}
		for _, p := range []string{f.From, f.To} {
			if !slices.Contains(places, p) {
				places = append(places, p)
			}
		}
		next[f.From] = append(next[f.From], f.To)
		links = append(links, map[string]any{"source": grid.Visible(f.From), "target": grid.Visible(f.To), "value": f.Value})
		k.table.Rows = append(k.table.Rows, []string{f.From, f.To, short(f.Value)})
		most = max(most, f.Value)
	}
	if at := circle(places, next); at != "" {
		stop.Now(op, fmt.Sprintf("the flows go round in a circle by way of %q; wanted one direction", at), "")
	}
	var nodes []map[string]any
	seen := map[string]bool{}
	for _, p := range places {
		if v := grid.Visible(p); !seen[v] {
			seen[v] = true
			nodes = append(nodes, map[string]any{"name": v})
		}
	}
	from, to := 0, 0
	for _, f := range flows {
		from, to = max(from, widest([]string{f.From}, 20)), max(to, widest([]string{f.To}, 20))
	}
	for _, f := range flows {
		bar := strings.Repeat("█", max(1, int(math.Round(f.Value/most*20))))
		k.lines = append(k.lines, column(f.From, from)+" "+column(bar, 20)+" "+column(f.To, to)+" "+strconv.FormatFloat(f.Value, 'g', 6, 64))
	}
	k.option = map[string]any{"tooltip": map[string]any{"trigger": "item"},
		"series": []map[string]any{{"type": "sankey", "data": nodes, "links": links, "left": 10, "right": 150, "top": 30, "bottom": 16, "nodeGap": 12}}}
	return k.chart(op)
}

// circle returns a place from which the flows lead back to it, "" where there is none.
func circle(places []string, next map[string][]string) string {
	state := map[string]int{} // 1 on the way, 2 done
	var walk func(p string) string
	walk = func(p string) string {
		state[p] = 1
		for _, q := range next[p] {
			if state[q] == 1 {
				return q
			}
			if state[q] == 0 {
				if at := walk(q); at != "" {
					return at
				}
			}
		}
		state[p] = 2
		return ""
	}
	for _, p := range places {
		if state[p] == 0 {
			if at := walk(p); at != "" {
				return at
			}
		}
	}
	return ""
}
