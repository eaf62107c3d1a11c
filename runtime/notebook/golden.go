package notebook

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"tunebook/runtime/session"
)

// Golden are the outputs of a notebook that a run is held against: by cell, what it printed to standard output and the
// value that it showed. They lie in a text file beside the notebook.
type Golden struct {
	Cells []GoldenCell
}

// GoldenCell is the stored output of one cell. A program's variables at the top have the number 0, what it deferred to its
// end -1.
type GoldenCell struct {
	Number int
	Title  string
	Output string
}

// GoldenPath returns where the outputs of a notebook are stored: nb.go has nb.outputs.txt beside it.
func GoldenPath(notebook string) string {
	return strings.TrimSuffix(notebook, filepath.Ext(notebook)) + ".outputs.txt"
}

// Golden returns the outputs of the cells that ran for their own sake and came to their end.
func (r *Record) Golden() *Golden {
	g := &Golden{}
	if out := stored(&r.Before); out != "" {
		g.Cells = append(g.Cells, GoldenCell{0, "", out})
	}
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Ran && c.Result.Err == nil && r.Plan.For[i] == "" {
			g.Cells = append(g.Cells, GoldenCell{r.Plan.Number[i], r.Plan.File.label(i), stored(&c.Result)})
		}
	}
	if out := stored(&r.After); out != "" && r.After.Err == nil {
		g.Cells = append(g.Cells, GoldenCell{-1, "", out})
	}
	return g
}

// stored is what of a result is compared: standard output and the value.
func stored(r *session.Result) string {
	var b strings.Builder
	for _, p := range r.Pieces {
		if !p.Stderr {
			b.WriteString(p.Text)
		}
	}
	out := b.String()
	if r.Text != "" {
		if out != "" && !strings.HasSuffix(out, "\n") {
			out += "\n"
		}
		out += r.Text
	}
	return strings.TrimRight(out, "\n")
}

const (
	goldenHead = "Outputs of "
	goldenCell = "== "
	goldenLine = "| "
)

// Format writes the outputs as text: each cell below its number and title, each line behind a bar.
func (g *Golden) Format(name string) string {
	var b strings.Builder
	b.WriteString(goldenHead + base(name) + ", written by tunebook run --update; tunebook run --check compares with them.\n")
	for _, c := range g.Cells {
		b.WriteString("\n" + strings.TrimRight(fmt.Sprintf("%s%d %s", goldenCell, c.Number, strings.Join(strings.Fields(c.Title), " ")), " ") + "\n")
		if c.Output == "" {
			continue
		}
		for _, l := range strings.Split(c.Output, "\n") {
			b.WriteString(strings.TrimRight(goldenLine+l, " ") + "\n")
		}
	}
	return b.String()
}

// ParseGolden reads what Format wrote.
func ParseGolden(name, text string) (*Golden, error) {
	g := &Golden{}
	for i, l := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		switch {
		case i == 0 && strings.HasPrefix(l, goldenHead), l == "":
		case strings.HasPrefix(l, goldenCell):
			var c GoldenCell
			number, title, _ := strings.Cut(l[len(goldenCell):], " ")
			if _, err := fmt.Sscan(number, &c.Number); err != nil {
				return nil, fmt.Errorf("%s:%d: %q begins no cell; write the file again with --update", name, i+1, l)
			}
			c.Title = title
			g.Cells = append(g.Cells, c)
		case len(g.Cells) > 0 && (l == "|" || strings.HasPrefix(l, goldenLine)):
			c := &g.Cells[len(g.Cells)-1]
			c.Output += strings.TrimPrefix(strings.TrimPrefix(l, "|"), " ") + "\n"
		default:
			return nil, fmt.Errorf("%s:%d: %q is no line of stored output; write the file again with --update", name, i+1, l)
		}
	}
	for i := range g.Cells {
		g.Cells[i].Output = strings.TrimSuffix(g.Cells[i].Output, "\n")
	}
	return g, nil
}

// times are what differs from run to run although nothing has changed: durations as Go and this program write them, and
// the time of day.
var times = []struct {
	re *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`\b\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?\b`), "<time>"},
	{regexp.MustCompile(`\b\d+ h \d+ min\b|\b\d+ min \d+ s\b|\b\d+(\.\d+)? (ns|µs|ms|s|min|h)\b`), "<time>"},
	{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?(ns|µs|ms|s)\b`), "<time>"},
}

// timeless returns a line without its times and its spaces at the end.
func timeless(l string) string {
	for _, t := range times {
		l = t.re.ReplaceAllString(l, t.as)
	}
	return strings.TrimRight(l, " \t")
}

// Check compares the outputs of a run with the stored ones: numbers to the last digit, times not at all. Each string is
// one cell that differs, told for a person. Only cells that ran for their own sake are compared; whole says that all of
// the notebook's should have.
func (g *Golden) Check(r *Record, whole bool) []string {
	want := map[int]GoldenCell{}
	for _, c := range g.Cells {
		want[c.Number] = c
	}
	var out []string
	got := r.Golden()
	ran := map[int]bool{}
	for _, c := range got.Cells {
		ran[c.Number] = true
		w, ok := want[c.Number]
		switch {
		case !ok:
			out = append(out, cellName(c)+" has no stored output; store it with --update")
		default:
			if d := firstDifference(w.Output, c.Output); d != "" {
				out = append(out, cellName(c)+" differs from the stored output:\n"+d)
			}
		}
	}
	if whole && r.Err == nil && r.Code == 0 {
		for _, c := range g.Cells {
			if !ran[c.Number] {
				out = append(out, cellName(c)+" is stored and did not run")
			}
		}
	}
	return out
}

func cellName(c GoldenCell) string {
	switch c.Number {
	case 0:
		return "what comes before main"
	case -1:
		return "what was deferred to the end"
	}
	return strings.TrimSpace(fmt.Sprintf("cell %d %s", c.Number, c.Title))
}

// firstDifference tells the first line in which two texts differ, "" when they do not.
func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		switch {
		case i >= len(w):
			return fmt.Sprintf("  line %d is new: %s", i+1, g[i])
		case i >= len(g):
			return fmt.Sprintf("  line %d is missing: %s", i+1, w[i])
		case timeless(w[i]) != timeless(g[i]):
			return fmt.Sprintf("  line %d, stored: %s\n  line %d, now:    %s", i+1, w[i], i+1, g[i])
		}
	}
	return ""
}
