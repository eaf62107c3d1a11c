package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
	"tunebook/stdlib/study"
)

// Line says what of a study is drawn: score Y (the only one when empty) against key X, one line for each value of key By
// (one line in all when empty). CI is the level of the band around each line: 0.95 when 0, no band when negative. Names
// left empty are taken from the keys.
type Line struct {
	X, Y, By            string
	LogX, LogY          bool
	CI                  float64
	Title, XName, YName string
}

// Plot returns the study as lines with interval bands. Scores are drawn times 100; groups whose rows all failed are gaps,
// named in notes. A key X with values that are no numbers gives an axis of categories.
func Plot(st *study.Study, l Line) *Chart {
	const op = "chart.Plot"
	a, list, notes := fromStudy(op, st, l)
	return build(op, a, list, notes)
}

// Bar says what of a study is drawn as bars: score Y for each value of key X, side by side for each value of key By, or one
// on top of the other where they are Stacked, without intervals.
type Bar struct {
	X, Y, By            string
	Stacked             bool
	CI                  float64
	Title, XName, YName string
}

// Bars returns the study as bars with their intervals as whiskers. The axis begins at 0.
func Bars(st *study.Study, b Bar) *Chart {
	const op = "chart.Bars"
	if b.Stacked {
		b.CI = -1
	}
	a, list, notes := fromStudy(op, st, Line{X: b.X, Y: b.Y, By: b.By, CI: b.CI, Title: b.Title, XName: b.XName, YName: b.YName})
	a.bars, a.stacked = true, b.Stacked
	if a.categories == nil {
		toCategories(&a, list)
	}
	return build(op, a, list, notes)
}

func fromStudy(op string, st *study.Study, l Line) (axes, []series, []string) {
	if st == nil || st.Len() == 0 {
		stop.Now(op, "the study has no rows; wanted at least one", "")
	}
	if l.X == "" {
		stop.Now(op, "X is empty; wanted the key along the axis", "")
	}
	if l.CI >= 1 {
		stop.Now(op, fmt.Sprintf("CI is %v; wanted a level below 1, such as 0.95", l.CI), "")
	}
	level := l.CI
	if level == 0 {
		level = 0.95
	}
	a := axes{title: l.Title, xName: l.XName, yName: l.YName, logX: l.LogX, logY: l.LogY}
	if a.xName == "" {
		a.xName = l.X
	}
	if a.title == "" {
		a.title = st.Name
	}
	var list []series
	var notes, metrics []string
	numeric := true
	for _, p := range st.Points(l.X, l.By, l.Y) {
		i := slices.IndexFunc(list, func(s series) bool { return s.name == p.By })
		if i < 0 {
			i = len(list)
			list = append(list, series{name: p.By})
		}
		numeric = numeric && !math.IsNaN(p.XValue)
		for _, f := range p.Failed {
			notes = append(notes, "failed: "+f)
		}
		if p.Score.N == 0 {
			continue
		}
		if !slices.Contains(metrics, p.Score.Metric) {
			metrics = append(metrics, p.Score.Metric)
		}
		nan := math.NaN()
		pt := point{x: p.XValue, category: p.X, y: p.Score.Shown(p.Score.Mean), lo: nan, hi: nan}
		pt.tip = fmt.Sprintf("%s, %s, %s", p.Score.Text(p.Score.Mean), grid.Plural(p.Score.N, "document"), p.Score.Runs())
		if level > 0 {
			sc := p.Score.At(level)
			pt.lo, pt.hi = sc.Shown(sc.Lo), sc.Shown(sc.Hi)
			pt.tip = fmt.Sprintf("%s (%.3g %% %s to %s), %s, %s", sc.Text(sc.Mean), 100*level, sc.Text(sc.Lo), sc.Text(sc.Hi), grid.Plural(p.Score.N, "document"), p.Score.Runs())
		}
		list[i].points = append(list[i].points, pt)
	}
	if a.yName == "" {
		a.yName = strings.Join(metrics, ", ")
	}
	for i := range list {
		if list[i].name == "" {
			list[i].name = a.yName
		}
	}
	if !numeric {
		if l.LogX {
			stop.Now(op, fmt.Sprintf("LogX wants numbers, and %q has other values", l.X), "")
		}
		toCategories(&a, list)
		return a, list, notes
	}
	for i := range list {
		slices.SortStableFunc(list[i].points, func(p, q point) int {
			switch {
			case p.x < q.x:
				return -1
			case p.x > q.x:
				return 1
			}
			return 0
		})
	}
	return a, list, notes
}

// toCategories makes the labels of the points the axis, in order of first appearance.
func toCategories(a *axes, list []series) {
	a.categories = []string{}
	for i := range list {
		for j := range list[i].points {
			p := &list[i].points[j]
			at := slices.Index(a.categories, p.category)
			if at < 0 {
				at = len(a.categories)
				a.categories = append(a.categories, p.category)
			}
			p.x = float64(at)
		}
	}
}

// Series is a named curve: Y[i] at X[i]. X may be nil: then points are numbered from 1.
type Series struct {
	Name string
	X, Y []float64
}

// Curves returns lines through the points of each series, in their order: losses, learning rates. Numbers that are not
// finite are gaps. It stops when X and Y differ in length.
func Curves(title, xName, yName string, all ...Series) *Chart {
	return curves("chart.Curves", axes{title: title, xName: xName, yName: yName}, all)
}

// LogCurves is Curves on logarithmic axes: of x, of y or of both. Points at zero or below are gaps, counted in a note.
func LogCurves(title, xName, yName string, logX, logY bool, all ...Series) *Chart {
	return curves("chart.LogCurves", axes{title: title, xName: xName, yName: yName, logX: logX, logY: logY}, all)
}

func curves(op string, a axes, all []Series) *Chart {
	if len(all) == 0 {
		stop.Now(op, "0 series; wanted at least one", "")
	}
	var list []series
	for _, in := range all {
		if in.X != nil && len(in.X) != len(in.Y) {
			stop.Now(op, fmt.Sprintf("series %q has %d x and %d y; wanted as many", in.Name, len(in.X), len(in.Y)), "")
		}
		s := series{name: in.Name}
		for i, y := range in.Y {
			p := point{x: float64(i + 1), y: y, lo: math.NaN(), hi: math.NaN(), tip: short(y)}
			if in.X != nil {
				p.x = in.X[i]
			}
			s.points = append(s.points, p)
		}
		list = append(list, s)
	}
	return build(op, a, list, nil)
}
