package chart

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/mattn/go-runewidth"

	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// kind is a chart that is no line and no bar, before it becomes one.
type kind struct {
	title, xName, yName string
	what                string // "Box plot", for those who do not see it
	option              map[string]any
	draw                map[string]draw
	tips, labels        [][]string
	points              int
	table               grid.Table
	lines               []string // of a terminal
	notes               []string
	lost                int // values that are not finite
	rows                int // of an upright axis of labels
}

func (k kind) chart(op string) *Chart {
	if k.lost > 0 {
		k.notes = append(k.notes, fmt.Sprintf("%s not finite, left out", grid.Plural(k.lost, "value")))
	}
	for _, part := range []string{"xAxis", "yAxis", "grid"} { // ECharts takes lists of these
		if v, has := k.option[part]; has {
			if _, list := v.([]map[string]any); !list {
				k.option[part] = []any{v}
			}
		}
	}
	if k.option["legend"] == nil {
		k.option["legend"] = map[string]any{"show": false}
	}
	alt := k.what
	if k.title != "" {
		alt += ": " + k.title
	}
	c := &Chart{Title: k.title, Notes: k.notes, xName: k.xName, yName: k.yName, data: k.table,
		alt: alt + ". The numbers are in the table below."}
	if k.rows > 0 {
		c.height = min(2400, 20*k.rows+170)
	}
	b, err := json.Marshal(payload{Option: k.option, Draw: k.draw, Tips: k.tips, Labels: k.labels, Points: k.points})
	stop.If(op, err)
	c.payload = b
	c.plot = plot{bars: k.lines}
	if len(k.lines) == 0 {
		c.plot = plot{empty: true}
	}
	return c
}

// numbers is an axis of numbers.
func numbers(name string, gap int) map[string]any {
	return map[string]any{"type": "value", "name": name, "nameLocation": "middle", "nameGap": gap, "scale": true}
}

// categories is an axis of labels.
func categories(name string, labels []string, gap int) map[string]any {
	return map[string]any{"type": "category", "name": name, "nameLocation": "middle", "nameGap": gap, "data": shownAll(labels)}
}

// room is the place of the axes in a picture.
func room(right int) map[string]any {
	return map[string]any{"left": 30, "right": right, "top": 40, "bottom": 34, "containLabel": true}
}

func shownAll(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = grid.Visible(t)
	}
	return out
}

// column fills or cuts a text to a width on a terminal.
func column(s string, w int) string {
	return runewidth.FillRight(runewidth.Truncate(grid.Visible(s), w, "…"), w)
}

// widest returns the width of the widest text, at most most.
func widest(texts []string, most int) int {
	w := 0
	for _, t := range texts {
		w = max(w, runewidth.StringWidth(grid.Visible(t)))
	}
	return min(w, most)
}

// Sample is a named list of values.
type Sample struct {
	Name   string
	Values []float64
}

// finiteOf returns the sorted finite values of a sample and how many are not.
func finiteOf(s Sample) (values []float64, lost int) {
	for _, v := range s.Values {
		if finite(v) == nil {
			lost++
			continue
		}
		values = append(values, v)
	}
	sort.Float64s(values)
	return values, lost
}

// quantile interpolates between the values next to q (type 7 of Hyndman and Fan 1996).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// needSamples stops for no sample and for one without a finite value.
func needSamples(op string, samples []Sample) {
	if len(samples) == 0 {
		stop.Now(op, "0 samples; wanted at least one", "")
	}
	for _, s := range samples {
		if v, lost := finiteOf(s); len(v) == 0 {
			stop.Now(op, fmt.Sprintf("sample %q has no finite value (%d are not finite)", s.Name, lost), "")
		}
	}
}

func sampleNames(samples []Sample) []string {
	out := make([]string, len(samples))
	for i, s := range samples {
		out[i] = s.Name
	}
	return out
}

// Boxes returns a box plot: for each sample the quartiles as a box, the median as a line, and the values within 1.5 box lengths
// of it as whiskers; values beyond are points.
func Boxes(title, xName, yName string, samples ...Sample) *Chart {
	const op = "chart.Boxes"
	needSamples(op, samples)
	k := kind{title: title, xName: xName, yName: yName, what: "Box plot"}
	t := grid.Table{Columns: []grid.Column{{Name: xName}}}
	for _, n := range []string{"values", "low", "25 %", "median", "75 %", "high", "beyond"} {
		t.Columns = append(t.Columns, grid.Column{Name: n, Right: true})
	}
	var boxes, beyond [][]any
	var tips, far []string
	var five [][5]float64
	for i, s := range samples {
		v, lost := finiteOf(s)
		k.lost += lost
		k.points += len(v)
		q := [3]float64{quantile(v, 0.25), quantile(v, 0.5), quantile(v, 0.75)}
		reach := 1.5 * (q[2] - q[0])
		lo, hi, out := q[0], q[2], 0
		for _, x := range v {
			if x < q[0]-reach || x > q[2]+reach {
				beyond = append(beyond, []any{i, x})
				far = append(far, s.Name+": "+short(x))
				out++
				continue
			}
			lo, hi = min(lo, x), max(hi, x)
		}
		boxes = append(boxes, []any{lo, q[0], q[1], q[2], hi})
		five = append(five, [5]float64{lo, q[0], q[1], q[2], hi})
		tips = append(tips, fmt.Sprintf("%s: median %s, quartiles %s to %s, %s", s.Name, short(q[1]), short(q[0]), short(q[2]), grid.Plural(len(v), "value")))
		t.Rows = append(t.Rows, []string{s.Name, fmt.Sprint(len(v)), short(lo), short(q[0]), short(q[1]), short(q[2]), short(hi), fmt.Sprint(out)})
	}
	k.table, k.tips = t, [][]string{tips, far}
	k.option = map[string]any{"xAxis": categories(xName, sampleNames(samples), 30), "yAxis": numbers(yName, 44), "grid": room(20),
		"tooltip": map[string]any{"trigger": "item"},
		"series": []map[string]any{{"type": "boxplot", "name": grid.Visible(yName), "data": boxes, "boxWidth": []any{8, 60}},
			{"type": "scatter", "name": grid.Visible(yName), "data": beyond, "symbolSize": 5}}}
	k.lines = boxLines(samples, five)
	return k.chart(op)
}

// boxLines draws boxes along lines: whisker, box, median.
func boxLines(samples []Sample, five [][5]float64) []string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, f := range five {
		lo, hi = min(lo, f[0]), max(hi, f[4])
	}
	name := widest(sampleNames(samples), 20)
	w := 68 - name
	at := func(v float64) int {
		if hi == lo {
			return w / 2
		}
		return int(math.Round((v - lo) / (hi - lo) * float64(w-1)))
	}
	var out []string
	for i, f := range five {
		line := []rune(strings.Repeat(" ", w))
		for c := at(f[0]); c <= at(f[4]); c++ {
			line[c] = '─'
		}
		for c := at(f[1]); c <= at(f[3]); c++ {
			line[c] = '█'
		}
		line[at(f[0])], line[at(f[4])] = '├', '┤'
		line[at(f[2])] = '┃'
		out = append(out, column(samples[i].Name, name)+"  "+strings.TrimRight(string(line), " "))
	}
	return append(out, scaleLine(name+2, w, lo, hi))
}

// scaleLine prints both ends of an axis under it.
func scaleLine(indent, w int, lo, hi float64) string {
	l, r := yLabel(lo), yLabel(hi)
	return strings.Repeat(" ", indent) + l + strings.Repeat(" ", max(1, w-len(l)-len(r))) + r
}

// Violins returns the samples' densities, mirrored, each as wide as the others at its widest, with the median as a point and
// the quartiles as a line. The bandwidth is Silverman's.
//
// Source: Silverman 1986, "Density estimation", equation 3.31.
func Violins(title, xName, yName string, samples ...Sample) *Chart {
	const op = "chart.Violins"
	needSamples(op, samples)
	k := kind{title: title, xName: xName, yName: yName, what: "Violin plot"}
	t := grid.Table{Columns: []grid.Column{{Name: xName}}}
	for _, n := range []string{"values", "lowest", "25 %", "median", "75 %", "highest"} {
		t.Columns = append(t.Columns, grid.Column{Name: n, Right: true})
	}
	var extents, medians, quarters [][]any
	var outlines [][][2]float64
	var tips []string
	var five [][5]float64
	for i, s := range samples {
		v, lost := finiteOf(s)
		k.lost += lost
		k.points += len(v)
		outline := density(v)
		outlines = append(outlines, outline)
		q := [3]float64{quantile(v, 0.25), quantile(v, 0.5), quantile(v, 0.75)}
		extents = append(extents, []any{i, outline[0][0], outline[len(outline)-1][0]})
		medians = append(medians, []any{i, q[1]})
		quarters = append(quarters, []any{i, q[0], q[2]})
		five = append(five, [5]float64{v[0], q[0], q[1], q[2], v[len(v)-1]})
		tips = append(tips, fmt.Sprintf("%s: median %s, quartiles %s to %s, %s", s.Name, short(q[1]), short(q[0]), short(q[2]), grid.Plural(len(v), "value")))
		t.Rows = append(t.Rows, []string{s.Name, fmt.Sprint(len(v)), short(v[0]), short(q[0]), short(q[1]), short(q[2]), short(v[len(v)-1])})
	}
	k.table, k.tips = t, [][]string{nil, nil, tips}
	k.draw = map[string]draw{"0": {Kind: "violin", Points: extents, Outlines: outlines}, "1": {Kind: "stem", Points: quarters}}
	encode, name := map[string]any{"x": 0, "y": []int{1, 2}}, grid.Visible(yName)
	k.option = map[string]any{"xAxis": categories(xName, sampleNames(samples), 30), "yAxis": numbers(yName, 44), "grid": room(20),
		"tooltip": map[string]any{"trigger": "item"},
		"series": []map[string]any{{"type": "custom", "name": name, "data": extents, "encode": encode}, {"type": "custom", "name": name, "data": quarters, "encode": encode},
			{"type": "scatter", "name": name, "data": medians, "symbolSize": 9}}}
	k.lines = boxLines(samples, five)
	return k.chart(op)
}

// density returns points of the outline of a density estimate: value, and width from 0 to 1.
func density(sorted []float64) [][2]float64 {
	n := float64(len(sorted))
	m, ss := 0.0, 0.0
	for _, v := range sorted {
		m += v / n
	}
	for _, v := range sorted {
		ss += (v - m) * (v - m)
	}
	spread := math.Sqrt(ss / max(1, n-1))
	if iqr := (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34; iqr > 0 {
		spread = min(spread, iqr)
	}
	h := 0.9 * spread * math.Pow(n, -0.2)
	if h == 0 {
		h = max(1e-3, math.Abs(m)*1e-3)
	}
	const steps = 60
	lo, hi := sorted[0]-2*h, sorted[len(sorted)-1]+2*h
	out := make([][2]float64, steps+1)
	top := 0.0
	sample := sorted
	if len(sample) > 2000 { // evenly spaced order statistics stand for the rest
		sample = make([]float64, 2000)
		for i := range sample {
			sample[i] = quantile(sorted, float64(i)/1999)
		}
	}
	for i := range out {
		x := lo + (hi-lo)*float64(i)/steps
		sum := 0.0
		for _, v := range sample {
			z := (x - v) / h
			sum += math.Exp(-z * z / 2)
		}
		out[i] = [2]float64{x, sum}
		top = max(top, sum)
	}
	for i := range out {
		out[i][1] /= top
	}
	return out
}

// Histogram returns how often the values of each sample fall into bins of equal width, as shares of the sample where there are
// several. bins 0 takes as many as Freedman and Diaconis would, 5 to 60.
func Histogram(title, xName string, bins int, samples ...Sample) *Chart {
	const op = "chart.Histogram"
	needSamples(op, samples)
	if bins < 0 || bins > 1000 {
		stop.Now(op, fmt.Sprintf("%d bins; wanted 1 to 1000, 0 for a fitting number", bins), "")
	}
	k := kind{title: title, xName: xName, yName: "values", what: "Histogram"}
	var all []float64
	var values [][]float64
	for _, s := range samples {
		v, lost := finiteOf(s)
		k.lost += lost
		values, all = append(values, v), append(all, v...)
	}
	sort.Float64s(all)
	k.points = len(all)
	lo, hi := all[0], all[len(all)-1]
	if bins == 0 {
		width := 2 * (quantile(all, 0.75) - quantile(all, 0.25)) / math.Cbrt(float64(len(all)))
		bins = 20
		if width > 0 {
			bins = int(math.Ceil((hi - lo) / width))
		}
		bins = max(5, min(60, bins))
	}
	if lo == hi {
		lo, hi = lo-0.5, hi+0.5
	}
	step := (hi - lo) / float64(bins)
	if len(samples) > 1 {
		k.yName = "share of values (%)"
	}
	labels := make([]string, bins)
	for i := range labels {
		labels[i] = short(round3(lo + step*(float64(i)+0.5)))
	}
	k.table = grid.Table{Columns: []grid.Column{{Name: "from", Right: true}, {Name: "to", Right: true}}}
	for i := range bins {
		k.table.Rows = append(k.table.Rows, []string{short(lo + step*float64(i)), short(lo + step*float64(i+1))})
	}
	var series []map[string]any
	highest := 0.0
	heights := make([][]float64, len(samples))
	for i, s := range samples {
		count := make([]float64, bins)
		for _, v := range values[i] {
			count[min(bins-1, int((v-lo)/step))]++
		}
		var tips []string
		for b := range count {
			tips = append(tips, fmt.Sprintf("%s: %.0f of %s", short(lo+step*float64(b))+" to "+short(lo+step*float64(b+1)), count[b], grid.Plural(len(values[i]), "value")))
			if len(samples) > 1 {
				count[b] *= 100 / float64(len(values[i]))
			}
			k.table.Rows[b] = append(k.table.Rows[b], short(count[b]))
			highest = max(highest, count[b])
		}
		heights[i] = count
		k.table.Columns = append(k.table.Columns, grid.Column{Name: s.Name, Right: true})
		k.tips = append(k.tips, tips)
		series = append(series, map[string]any{"type": "bar", "name": grid.Visible(s.Name), "data": count, "barGap": "0%", "barCategoryGap": "4%"})
	}
	along := categories(xName, labels, 30)
	along["ordered"] = true // labels may be left out: their neighbours say what they would
	k.option = map[string]any{"xAxis": along, "yAxis": map[string]any{"type": "value", "name": k.yName, "nameLocation": "middle", "nameGap": 44},
		"grid": room(20), "tooltip": map[string]any{"trigger": "axis"}, "series": series,
		"legend": map[string]any{"show": len(samples) > 1, "type": "scroll", "top": 0, "left": "center"}}
	for i, s := range samples {
		if len(samples) > 1 {
			k.lines = append(k.lines, column(s.Name, 40))
		}
		k.lines = append(k.lines, columnsOf(heights[i], highest)...)
	}
	k.lines = append(k.lines, scaleLine(0, min(bins, 70), lo, hi))
	return k.chart(op)
}

// columnsOf draws numbers as columns of blocks, eight lines high, at most 70 wide: neighbours are added up beyond.
func columnsOf(heights []float64, highest float64) []string {
	for len(heights) > 70 {
		var half []float64
		for i := 0; i < len(heights); i += 2 {
			h := heights[i]
			if i+1 < len(heights) {
				h = max(h, heights[i+1])
			}
			half = append(half, h)
		}
		heights = half
	}
	const rows = 8
	upright := []rune("▁▂▃▄▅▆▇█")
	var out []string
	for r := rows - 1; r >= 0; r-- {
		var line []rune
		for _, h := range heights {
			eighth := int(math.Round(h/highest*8*rows)) - 8*r
			switch {
			case eighth <= 0:
				line = append(line, ' ')
			default:
				line = append(line, upright[min(8, eighth)-1])
			}
		}
		out = append(out, strings.TrimRight(string(line), " "))
	}
	return slices.DeleteFunc(out, func(l string) bool { return l == "" })
}
