package chart

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"

	"tunebook/stdlib/internal/grid"
)

// The plot of a terminal: columns and rows of characters, each a braille pattern of 2 by 4 dots.
const (
	plotColumns = 58
	plotRows    = 14
)

// marks stand on the points of the series, so that lines can be told apart without colour.
var marks = []rune("●■▲◆○□△◇")

// plot is a picture in characters.
type plot struct {
	cells        [plotRows][plotColumns]rune
	low, high    float64 // of y
	left, right  string  // labels of x
	xName, yName string
	legend       []string
	bars         []string // the lines of a bar chart, instead of all above
	empty        bool
	logY         bool
}

// newPlot draws the series.
func newPlot(a axes, list []series) plot {
	p := plot{low: math.Inf(1), high: math.Inf(-1), xName: grid.Visible(a.xName), yName: grid.Visible(a.yName)}
	first, last := math.Inf(1), math.Inf(-1)
	along := func(x float64) float64 {
		if a.logX {
			return math.Log(x)
		}
		return x
	}
	label := func(pt point) string {
		if a.categories != nil {
			return runewidth.Truncate(grid.Visible(pt.category), 20, "…")
		}
		return strconv.FormatFloat(pt.x, 'g', 6, 64)
	}
	for _, s := range list {
		for _, pt := range s.points {
			if finite(pt.y) == nil {
				continue
			}
			p.low, p.high = min(p.low, pt.y), max(p.high, pt.y)
			if pt.x < first {
				first, p.left = pt.x, label(pt)
			}
			if pt.x > last {
				last, p.right = pt.x, label(pt)
			}
		}
	}
	if p.low > p.high {
		p.empty = true
		return p
	}
	if a.bars {
		p.bars = barLines(a, list, max(p.high, 0))
		return p
	}
	if p.low == p.high {
		p.low, p.high = p.low-1, p.high+1
	}
	const w, h = 2*plotColumns - 1, 4*plotRows - 1
	if a.logY {
		p.low, p.high, p.logY = math.Log(p.low), math.Log(p.high), true
	}
	place := func(pt point) (int, int) {
		if a.logY {
			pt.y = math.Log(pt.y)
		}
		x := 0.5
		if last > first {
			x = (along(pt.x) - along(first)) / (along(last) - along(first))
		}
		return int(math.Round(x * w)), int(math.Round((p.high - pt.y) / (p.high - p.low) * h))
	}
	for i, s := range list {
		mark := marks[i%len(marks)]
		p.legend = append(p.legend, string(mark)+" "+grid.Visible(s.name))
		had, px, py := false, 0, 0
		for _, pt := range s.points {
			if finite(pt.y) == nil {
				had = false
				continue
			}
			x, y := place(pt)
			if had && !a.dots {
				p.stroke(px, py, x, y)
			} else {
				p.dot(x, y)
			}
			had, px, py = true, x, y
		}
	}
	for i, s := range list {
		step := (len(s.points) + 23) / 24
		if a.dots {
			if step = 1; len(s.points) > 200 {
				continue
			}
		}
		for j, pt := range s.points {
			if finite(pt.y) != nil && j%step == 0 {
				x, y := place(pt)
				p.cells[y/4][x/2] = marks[i%len(marks)]
			}
		}
	}
	return p
}

// eighths are blocks of one to eight eighths of a column.
var eighths = []rune("▏▎▍▌▋▊▉█")

// barLines returns a line of blocks for each category and series; negative values have no block, only their number.
func barLines(a axes, list []series, high float64) []string {
	name := func(s string, w int) string {
		return runewidth.FillRight(runewidth.Truncate(grid.Visible(s), w, "…"), w)
	}
	wide := func(w int, s string) int { return min(20, max(w, runewidth.StringWidth(grid.Visible(s)))) }
	first, second := 0, 0
	for _, c := range a.categories {
		first = wide(first, c)
	}
	for _, s := range list {
		second = wide(second, s.name)
	}
	room := 70 - first - second - 10
	out := []string{name("", first) + "  " + grid.Visible(runewidth.Truncate(a.yName, 40, "…"))}
	for at, c := range a.categories {
		for _, s := range list {
			for _, pt := range s.points {
				if int(pt.x) != at {
					continue
				}
				block := ""
				if n := int(math.Round(pt.y / high * float64(8*room))); n > 0 && finite(pt.y) != nil {
					block = strings.Repeat("█", n/8)
					if n%8 > 0 {
						block += string(eighths[n%8-1])
					}
				}
				out = append(out, name(c, first)+"  "+name(s.name, second)+" "+block+" "+strconv.FormatFloat(pt.y, 'f', 1, 64))
				c = ""
			}
		}
	}
	return out
}

// dot sets one of the eight dots of a character.
func (p *plot) dot(x, y int) {
	cell := &p.cells[y/4][x/2]
	if *cell == 0 {
		*cell = 0x2800
	}
	*cell |= [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}[y%4][x%2]
}

// stroke sets the dots between two points.
func (p *plot) stroke(x0, y0, x1, y1 int) {
	n := max(abs(x1-x0), abs(y1-y0), 1)
	for i := range n + 1 {
		p.dot(x0+(x1-x0)*i/n, y0+(y1-y0)*i/n)
	}
}

func abs(v int) int { return max(v, -v) }

// String returns the plot with its axes and legend, at most 72 columns wide.
func (p *plot) String() string {
	if p.empty {
		return "(no finite point)\n"
	}
	if p.bars != nil {
		return strings.Join(p.bars, "\n") + "\n"
	}
	labels := make([]string, plotRows)
	value := func(v float64) string {
		if p.logY {
			v = math.Exp(v)
		}
		return yLabel(v)
	}
	labels[0], labels[plotRows/2], labels[plotRows-1] = value(p.high), value((p.high+p.low)/2), value(p.low)
	width := 0
	for _, l := range labels {
		width = max(width, len(l))
	}
	var b strings.Builder
	if p.yName != "" {
		b.WriteString(p.yName + "\n")
	}
	for i, row := range p.cells {
		line := make([]rune, 0, plotColumns)
		for _, r := range row {
			if r == 0 {
				r = ' '
			}
			line = append(line, r)
		}
		axis := "│"
		if labels[i] != "" {
			axis = "┤"
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%*s %s%s", width, labels[i], axis, string(line)), " ") + "\n")
	}
	b.WriteString(strings.Repeat(" ", width+1) + "└" + strings.Repeat("─", plotColumns) + "\n")
	name := runewidth.Truncate(p.xName, plotColumns-runewidth.StringWidth(p.left+p.right)-2, "…")
	free := plotColumns - runewidth.StringWidth(p.left+name+p.right)
	if p.left == p.right {
		free = 2
	}
	line := strings.Repeat(" ", width+2) + p.left + strings.Repeat(" ", free/2) + name
	if p.left != p.right {
		line += strings.Repeat(" ", free-free/2) + p.right
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	if len(p.legend) > 1 {
		at := 0
		for i, l := range slices.Clone(p.legend) {
			l = runewidth.Truncate(l, 60, "…")
			if i > 0 && at+runewidth.StringWidth(l)+3 > 70 {
				b.WriteString("\n")
				at = 0
			}
			if at == 0 {
				b.WriteString(strings.Repeat(" ", width+2))
				at = width + 2
			} else {
				b.WriteString("   ")
				at += 3
			}
			b.WriteString(l)
			at += runewidth.StringWidth(l)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// yLabel returns a number of at most four digits.
func yLabel(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
