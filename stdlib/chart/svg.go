package chart

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/dop251/goja"

	"tunebook/stdlib/internal/file"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Picture says how a chart is drawn without a browser. The zero value is 720 by 420 pixels on a light ground.
type Picture struct {
	Width, Height int
	Dark          bool
}

// SVG returns the chart as a picture, drawn by the same script as on a page: for a paper, a README, a machine without a
// browser. The title stands in it, and the notes below. The same chart gives the same bytes.
func (c *Chart) SVG(p Picture) string {
	const op = "chart.SVG"
	if p.Width == 0 {
		p.Width = 720
	}
	if p.Height == 0 {
		p.Height = max(420, c.height)
	}
	if p.Width < 100 || p.Height < 100 || p.Width > 10_000 || p.Height > 10_000 {
		stop.Now(op, fmt.Sprintf("a picture of %d by %d pixels; wanted 100 to 10000", p.Width, p.Height), "")
	}
	data, left := sampledData(c.payload)
	notes := c.Notes
	if left != "" {
		notes = append(notes[:len(notes):len(notes)], left)
	}
	head, foot := 0, 18*len(notes)
	if c.Title != "" {
		head = 28
	}
	inner, err := drawSVG(data, p.Width, p.Height-head-foot, p.Dark)
	stop.If(op, err)
	ink, soft, ground := "#1c1d21", "#8a4b00", "#ffffff"
	if p.Dark {
		ink, soft, ground = "#e6e8ec", "#e5b06a", "#15171b"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" font-family="system-ui, 'Liberation Sans', Arial, sans-serif">`,
		p.Width, p.Height, p.Width, p.Height)
	b.WriteString("<title>" + html.EscapeString(grid.Visible(c.alt)) + "</title>")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="%s"/>`, p.Width, p.Height, ground)
	if c.Title != "" {
		fmt.Fprintf(&b, `<text x="12" y="20" font-size="15" font-weight="600" fill="%s">%s</text>`, ink, html.EscapeString(shorten(c.Title, p.Width/9)))
	}
	fmt.Fprintf(&b, `<g transform="translate(0 %d)">%s</g>`, head, inner)
	for i, n := range notes {
		fmt.Fprintf(&b, `<text x="12" y="%d" font-size="12" fill="%s">%s</text>`, p.Height-foot+18*i+12, soft, html.EscapeString(shorten("note: "+n, p.Width/7)))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// drawable is the number of points of a series that the interpreter draws in a moment; more are sampled before.
const drawable = 5000

// sampledData returns a chart's data with no series of more than drawable points, and a note where some were left out: of a
// line those stay that span the largest triangles, of others every so many.
func sampledData(data []byte) ([]byte, string) {
	var p map[string]any
	if json.Unmarshal(data, &p) != nil {
		return data, ""
	}
	option, _ := p["option"].(map[string]any)
	series, _ := option["series"].([]any)
	shown, all := 0, 0
	for _, s := range series {
		one, _ := s.(map[string]any)
		points, _ := one["data"].([]any)
		if len(points) <= drawable {
			continue
		}
		var keep []any
		if one["type"] == "line" {
			keep = triangles(points, drawable)
		} else {
			for i := range drawable {
				keep = append(keep, points[i*len(points)/drawable])
			}
		}
		one["data"] = keep
		shown, all = shown+len(keep), all+len(points)
	}
	if all == 0 {
		return data, ""
	}
	b, err := json.Marshal(p)
	if err != nil {
		return data, ""
	}
	return b, fmt.Sprintf("%d of %d points are drawn", shown, all)
}

// triangles keeps n points of a line: the first, the last, and from each stretch between them the one that spans the largest
// triangle with the one kept before and the mean of the next stretch. Gaps stay where they are the point of their stretch.
//
// Source: Steinarsson 2013, "Downsampling time series for visual representation", largest triangle three buckets.
func triangles(points []any, n int) []any {
	xy := func(i int) (x, y float64) {
		p, _ := points[i].([]any)
		if len(p) < 2 {
			return 0, 0
		}
		x, _ = p[0].(float64)
		y, _ = p[1].(float64)
		return x, y
	}
	keep := []any{points[0]}
	last := 0
	stretch := func(k int) int { return 1 + k*(len(points)-2)/(n-2) }
	for k := range n - 2 {
		from, to := stretch(k), stretch(k+1)
		end := min(stretch(k+2), len(points))
		var mx, my float64
		for i := to; i < end; i++ {
			x, y := xy(i)
			mx, my = mx+x/float64(end-to), my+y/float64(end-to)
		}
		lx, ly := xy(last)
		best, area := from, -1.0
		for i := from; i < to; i++ {
			x, y := xy(i)
			a := (lx-mx)*(y-ly) - (lx-x)*(my-ly)
			if a = max(a, -a); a > area {
				best, area = i, a
			}
		}
		keep, last = append(keep, points[best]), best
	}
	return append(keep, points[len(points)-1])
}

func shorten(s string, n int) string {
	r := []rune(grid.Visible(s))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}

// Save writes the chart to path, whole or not at all, and returns the absolute path: a picture for .svg, a page for .html, the
// plot of a terminal for .txt, the numbers for .csv. A picture for a paper is made of the .svg (inkscape, rsvg-convert), or
// saved from the page.
func (c *Chart) Save(path string) string {
	const op = "chart.Save"
	body := ""
	switch ext := filepath.Ext(path); ext {
	case ".svg":
		body = c.SVG(Picture{})
	case ".html":
		p := NewPage(c.Title)
		p.Chart(c)
		return p.Save(path)
	case ".txt":
		body = c.text()
	case ".csv":
		var names []string
		for _, column := range c.data.Columns {
			names = append(names, column.Name)
		}
		body = grid.CSV(names, c.data.Rows)
	default:
		stop.Now(op, fmt.Sprintf("%q ends in %q; wanted .svg, .html, .txt or .csv", path, ext), "")
	}
	abs, err := file.Write(path, []byte(body))
	stop.If(op, err)
	return abs
}

// engine is ECharts in a JavaScript interpreter: started once, used by one caller at a time.
var engine struct {
	sync.Mutex
	vm   *goja.Runtime
	draw goja.Callable
}

// globalsJS is what the script expects of its surroundings. What it puts off (animations, progressive drawing) is left out: a
// picture is drawn whole at once.
const globalsJS = `var self = this, window = this; function setTimeout() { return 0; } function clearTimeout() {}`

// svgJS makes a picture of a chart's data. The interpreter has no clock and no timers, and the picture needs none.
const svgJS = `
function tunebookSVG(text, scheme, width, height) {
  var data = JSON.parse(text);
  var chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: width, height: height });
  var option = tunebookDraw(data, scheme, [width, height]);
  option.animation = false;
  delete option.tooltip; delete option.toolbox;
  chart.setOption(option);
  var upright = chart.getModel().getComponent('yAxis');
  if (upright && upright.axis.type !== 'category') {
    var wide = 0;
    upright.axis.getViewLabels().forEach(function (l) { wide = Math.max(wide, echarts.format.getTextRect(l.formattedLabel, '12px sans-serif').width); });
    chart.setOption({ yAxis: [{ nameGap: Math.round(wide) + 16 }] });
  }
  var svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}`

func drawSVG(data []byte, width, height int, dark bool) (svg string, err error) {
	engine.Lock()
	defer engine.Unlock()
	if engine.vm == nil {
		vm := goja.New()
		for _, part := range [][2]string{{"globals", globalsJS}, {"echarts", "var module, exports;" + echartsJS()}, {"draw.js", drawJS}, {"svg", svgJS}} {
			if _, err := vm.RunScript(part[0], part[1]); err != nil {
				return "", fmt.Errorf("chart.SVG: %w", err)
			}
		}
		f, ok := goja.AssertFunction(vm.Get("tunebookSVG"))
		if !ok {
			return "", fmt.Errorf("chart.SVG: the script has no tunebookSVG")
		}
		engine.vm, engine.draw = vm, f
	}
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	v, err := engine.draw(goja.Undefined(), engine.vm.ToValue(string(data)), engine.vm.ToValue(scheme), engine.vm.ToValue(width), engine.vm.ToValue(height))
	if err != nil {
		return "", fmt.Errorf("chart.SVG: %w", err)
	}
	return stable(v.String(), data), nil
}

var svgIDs = regexp.MustCompile(`\bzr[0-9]+-[a-z]+-?[0-9]+`)

// stable names what a picture refers to within itself by the picture's data and in order, instead of by how much was drawn
// before it, so that equal charts are equal bytes and different ones can stand in one document.
func stable(svg string, data []byte) string {
	sum := sha256.Sum256(data)
	names := map[string]string{}
	return svgIDs.ReplaceAllStringFunc(svg, func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("tb%s-%d", hex.EncodeToString(sum[:4]), len(names))
		}
		return names[id]
	})
}
