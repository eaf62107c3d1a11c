// Package chart draws studies and curves, in a terminal and on pages that open with the network off.
//
// A chart is built with go-echarts, written as plain JSON, and drawn by ECharts, which a page holds once. No text of a
// script becomes code on the page: names and titles travel as JSON strings and are put in place as text. Numbers that are
// not finite are gaps, counted in a note.
package chart

import (
	"encoding/json"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Chart is a picture with its title, notes and data.
type Chart struct {
	Title string
	Notes []string

	xName, yName string
	payload      []byte // JSON of payload
	data         grid.Table
	plot         plot
	alt          string
	height       int // pixels that the picture should have at least; 0 for any
}

// payload is what the page's script gets: an ECharts option and what JSON cannot say in one.
type payload struct {
	Option map[string]any  `json:"option"`
	Draw   map[string]draw `json:"draw,omitempty"`   // by index of a custom series: its shape
	Tips   [][]string      `json:"tips,omitempty"`   // by series and point: the line in the tooltip
	Labels [][]string      `json:"labels,omitempty"` // by series and point: the text at it; nil for none
	Ticks  []float64       `json:"ticks,omitempty"`
	Points int             `json:"points"` // in all series
}

// draw is a shape behind or on top of the series of the same name.
type draw struct {
	Kind     string         `json:"kind"`               // "band", "whisker", "sideways", "stem" or "violin"
	Points   [][]any        `json:"points"`             // [x, low, high], of sideways [low, high, y]; null where there is none
	Place    int            `json:"place,omitempty"`    // of a whisker's bar in its group
	Places   int            `json:"places,omitempty"`   // bars in a group
	Outlines [][][2]float64 `json:"outlines,omitempty"` // of violins: value, and width from 0 to 1
}

// series is a line or a set of bars before it becomes an option.
type series struct {
	name   string
	points []point
}

// point is one value with its interval, all NaN where there is none.
type point struct {
	x, y, lo, hi float64
	category     string // the label of x on an axis of categories
	tip          string
}

// finite turns what is not finite into null.
func finite(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

// axes is the layout that all charts share.
type axes struct {
	title, xName, yName string
	logX, logY          bool
	categories          []string // nil for an axis of numbers
	bars, stacked       bool
	dots                bool // points without lines between them
}

// symbols tell series apart without colour; the page's palette has as many entries.
var symbols = []string{"circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect", "emptyTriangle"}

// build makes the chart from its series.
func build(op string, a axes, list []series, notes []string) *Chart {
	c := &Chart{Title: a.title, xName: a.xName, yName: a.yName}
	lost, left, low, total := 0, 0, 0, 0
	for i := range list {
		kept := list[i].points[:0:0]
		for _, p := range list[i].points {
			total++
			if finite(p.y) == nil || finite(p.x) == nil {
				lost++
				p.y, p.lo, p.hi = math.NaN(), math.NaN(), math.NaN()
				if finite(p.x) == nil {
					continue
				}
			}
			if a.logX && p.x <= 0 {
				left++
				continue
			}
			if a.logY && p.y <= 0 {
				low++
				p.y, p.lo, p.hi = math.NaN(), math.NaN(), math.NaN()
			}
			if a.logY && p.lo <= 0 {
				p.lo = p.y
			}
			kept = append(kept, p)
		}
		list[i].points = kept
	}
	if lost > 0 {
		notes = append(notes, fmt.Sprintf("%s not finite, drawn as gaps", grid.Plural(lost, "point")))
	}
	if low > 0 {
		notes = append(notes, fmt.Sprintf("%s at zero or below are gaps: the upright axis is logarithmic", grid.Plural(low, "point")))
	}
	if left > 0 {
		notes = append(notes, fmt.Sprintf("%s at zero or below left out: the axis is logarithmic", grid.Plural(left, "point")))
	}
	if total > sampled {
		notes = append(notes, fmt.Sprintf("%d points, of which the picture shows a sample (largest triangles); the numbers are all there", total))
	}
	c.Notes = notes
	c.payload = encode(op, option(a, list))
	c.plot = newPlot(a, list)
	c.data = dataTable(a, list)
	c.alt = describe(a, list, total-lost-left-low)
	return c
}

// sampled is the number of points from which on a line is drawn through a sample of them.
const sampled = 4000

func option(a axes, list []series) payload {
	out := payload{Draw: map[string]draw{}}
	x := opts.XAxis{Type: "value", Name: a.xName, NameLocation: "middle", NameGap: 30, Scale: opts.Bool(true)}
	if a.categories != nil {
		x.Type = "category"
	} else if a.logX {
		x.Type = "log"
	}
	if a.categories == nil {
		span(a, list, &x)
	}
	y := opts.YAxis{Type: "value", Name: a.yName, NameLocation: "middle", NameGap: 44, Scale: opts.Bool(!a.bars)}
	if a.logY {
		y.Type = "log"
	}
	global := []charts.GlobalOpts{
		charts.WithXAxisOpts(x), charts.WithYAxisOpts(y),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(len(list) > 1), Type: "scroll", Top: "0", Left: "center"}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
		charts.WithGridOpts(opts.Grid{Left: "30", Right: "20", Top: "40", Bottom: "34", ContainLabel: opts.Bool(true)}),
		charts.WithAnimation(false),
	}
	// The shapes come after all lines, so that the legend shows the lines' symbols; ECharts gives a line and its shape one
	// colour because they share a name.
	var shapes, lines []charts.SingleSeries
	for i, s := range list {
		var values, shape [][]any
		interval := false
		var tips []string
		for _, p := range s.points {
			var at any = p.x
			if a.categories != nil {
				at = int(p.x)
			}
			values = append(values, []any{at, finite(p.y)})
			shape = append(shape, []any{at, finite(p.lo), finite(p.hi)})
			interval = interval || finite(p.lo) != nil && finite(p.hi) != nil
			tips = append(tips, p.tip)
			out.Points++
		}
		if interval {
			kind := "band"
			if a.bars {
				kind = "whisker"
			}
			out.Draw[strconv.Itoa(len(list)+len(shapes))] = draw{Kind: kind, Points: shape, Place: i, Places: len(list)}
			shapes = append(shapes, charts.SingleSeries{Name: s.name, Type: "custom", Data: shape, Encode: &opts.Encode{X: 0, Y: []int{1, 2}}})
		}
		one := charts.SingleSeries{Name: s.name, Type: "line", Data: values, Symbol: symbols[i%len(symbols)], SymbolSize: 8,
			ShowSymbol: opts.Bool(len(s.points) <= 60), LineStyle: &opts.LineStyle{Width: 2}}
		if i >= len(symbols) {
			one.LineStyle.Type = "dashed"
		}
		if a.bars {
			one = charts.SingleSeries{Name: s.name, Type: "bar", Data: values}
			if a.stacked {
				one.Stack = "all"
			}
		}
		lines = append(lines, one)
		out.Tips = append(out.Tips, tips)
	}
	var rect interface {
		JSON() map[string]any
		Validate()
	}
	if a.bars {
		b := charts.NewBar()
		b.SetGlobalOptions(global...)
		b.SetXAxis(a.categories)
		b.MultiSeries = append(lines, shapes...)
		rect = b
	} else {
		l := charts.NewLine()
		l.SetGlobalOptions(global...)
		if a.categories != nil {
			l.SetXAxis(a.categories)
		}
		l.MultiSeries = append(lines, shapes...)
		rect = l
	}
	rect.Validate()
	out.Option = rect.JSON()
	// Colours, and with them dark and light, belong to the page; the title stands above the picture as text.
	delete(out.Option, "color")
	delete(out.Option, "title")
	delete(out.Option, "toolbox")
	if a.categories == nil {
		out.Ticks = ticks(list)
	}
	return out
}

// span makes the axis of numbers end a little beyond the first and last point.
func span(a axes, list []series, x *opts.XAxis) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range list {
		for _, p := range s.points {
			lo, hi = min(lo, p.x), max(hi, p.x)
		}
	}
	if lo > hi {
		return
	}
	if a.logX {
		x.Min, x.Max = round3(lo/math.Pow(hi/lo, 0.03)/1.03), round3(hi*math.Pow(hi/lo, 0.03)*1.03)
	} else if lo == hi {
		x.Min, x.Max = lo-1, hi+1
	}
}

func round3(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	return r
}

// ticks returns the places of the points when they are few enough to be the axis's labels.
func ticks(list []series) []float64 {
	var at []float64
	for _, s := range list {
		for _, p := range s.points {
			known := false
			for _, v := range at {
				known = known || v == p.x
			}
			if !known {
				at = append(at, p.x)
			}
			if len(at) > 8 {
				return nil
			}
		}
	}
	return at
}

// encode returns the payload as JSON that may stand inside a script element: encoding/json writes <, > and & as escapes.
func encode(op string, p payload) []byte {
	b, err := json.Marshal(p)
	stop.If(op, err)
	return b
}

// Show returns the chart as a small plot for a terminal and as an element for a page.
func (c *Chart) Show() (text, html string) { return c.text(), c.figure() }

func (c *Chart) text() string {
	var b strings.Builder
	if c.Title != "" {
		b.WriteString(grid.Visible(c.Title) + "\n")
	}
	b.WriteString(c.plot.String())
	for _, n := range c.Notes {
		b.WriteString("note: " + grid.Visible(n) + "\n")
	}
	return b.String()
}

func (c *Chart) figure() string {
	var b strings.Builder
	b.WriteString(`<figure class="tb-chart">`)
	if c.Title != "" {
		b.WriteString("<figcaption>" + html.EscapeString(grid.Visible(c.Title)) + "</figcaption>")
	}
	style := ""
	if c.height > 0 {
		style = fmt.Sprintf(` style="min-height:%dpx"`, c.height)
	}
	b.WriteString(`<div class="tb-plot"` + style + ` role="img" aria-label="` + html.EscapeString(grid.Visible(c.alt)) + `"></div>`)
	b.WriteString(`<script type="application/json" class="tb-data">` + string(c.payload) + "</script>\n")
	for _, n := range c.Notes {
		b.WriteString(`<p class="tb-note">` + html.EscapeString(grid.Visible(n)) + "</p>\n")
	}
	b.WriteString("<details><summary>Numbers of this chart</summary>" + c.data.HTML() + "</details></figure>\n")
	return b.String()
}

// describe says in a sentence what the picture shows, for those who do not see it.
func describe(a axes, list []series, points int) string {
	kind := "Line chart"
	if a.bars {
		kind = "Bar chart"
	}
	var names []string
	for _, s := range list {
		names = append(names, s.name)
	}
	s := kind
	if a.title != "" {
		s += ": " + a.title
	}
	s += fmt.Sprintf(". %s against %s", a.yName, a.xName)
	if len(list) > 1 {
		s += ", one line each for " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s; %s. The numbers are in the table below.", s, grid.Plural(points, "point"))
}

// tableRows is the most lines of a chart's table of numbers.
const tableRows = 200

func dataTable(a axes, list []series) grid.Table {
	t := grid.Table{Columns: []grid.Column{{Name: "series"}, {Name: a.xName, Right: true}, {Name: a.yName, Right: true}, {Name: "low", Right: true}, {Name: "high", Right: true}}}
	total := 0
	for _, s := range list {
		total += len(s.points)
	}
	step := (total + tableRows - 1) / tableRows
	i := 0
	for _, s := range list {
		for _, p := range s.points {
			if i++; step > 1 && (i-1)%step != 0 {
				continue
			}
			x := p.category
			if x == "" {
				x = short(p.x)
			}
			t.Rows = append(t.Rows, []string{s.name, x, short(p.y), short(p.lo), short(p.hi)})
		}
	}
	if step > 1 {
		t.Notes = append(t.Notes, fmt.Sprintf("every %dth of %d points", step, total))
	}
	return t
}

// short returns a number with at most six digits, "—" for a gap.
func short(v float64) string {
	if finite(v) == nil {
		return "—"
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// String is what Show gives in text, for fmt.Println.
func (c *Chart) String() string { text, _ := c.Show(); return text }
