package study

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	core "tunebook/engine/eval"
	"tunebook/stdlib/eval"
	"tunebook/stdlib/internal/file"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Table is what a study was summed up to: named columns and rows of texts, with notes.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
	Notes   []string

	right []bool
}

func (t *Table) grid() *grid.Table {
	for i, r := range t.Rows {
		if len(r) != len(t.Columns) {
			stop.Now("study.Table", fmt.Sprintf("row %d has %d cells; there are %d columns", i, len(r), len(t.Columns)), "")
		}
	}
	g := &grid.Table{Caption: t.Title, Rows: t.Rows, Notes: t.Notes}
	for i, c := range t.Columns {
		g.Columns = append(g.Columns, grid.Column{Name: c, Right: t.rightOf(i)})
	}
	return g
}

// rightOf tells whether column i is set to the right: as it was made, and in a table that a script filled itself, where it
// holds numbers.
func (t *Table) rightOf(i int) bool {
	if i < len(t.right) {
		return t.right[i]
	}
	any := false
	for _, r := range t.Rows {
		if i >= len(r) || r[i] == "" {
			continue
		}
		if _, ok := leading(r[i]); !ok {
			return false
		}
		any = true
	}
	return any
}

func (t *Table) column(name string, right bool) {
	t.Columns, t.right = append(t.Columns, name), append(t.right, right)
}

// Show returns the table for a terminal and for a page.
func (t *Table) Show() (text, html string) { return t.grid().Text(), t.grid().HTML() }

// Markdown returns the table in GitHub's form.
func (t *Table) Markdown() string { return t.grid().Markdown() }

// CSV returns columns and rows by RFC 4180; title and notes are left out.
func (t *Table) CSV() string { return grid.CSV(t.Columns, t.Rows) }

// Save writes the table to path, as CSV for .csv, as Markdown for .md and as LaTeX for .tex, whole or not at all, and returns
// the absolute path.
func (t *Table) Save(path string) string {
	body := ""
	switch filepath.Ext(path) {
	case ".csv":
		body = t.CSV()
	case ".md":
		body = t.Markdown()
	case ".tex":
		body = t.LaTeX()
	default:
		stop.Now("study.Save", fmt.Sprintf("%q ends in %q; wanted .csv, .md or .tex", path, filepath.Ext(path)), "")
	}
	abs, err := file.Write(path, []byte(body))
	stop.If("study.Save", err)
	return abs
}

// summary is what the rows of one group give for one result.
type summary struct {
	score  eval.Score // N is 0 when there is none
	values []float64  // measurements
	failed []string   // "n=50 seed=3: reason"
	absent int
}

func (s *Study) sum(op string, rows []Row, result string) summary {
	var sum summary
	var scores []eval.Score
	for _, row := range rows {
		switch x := row[result].(type) {
		case eval.Score:
			sc, _ := s.score(row, result)
			scores = append(scores, sc)
		case Measurement:
			sum.values = append(sum.values, float64(x))
		case Failure:
			sum.failed = append(sum.failed, s.place(row, s.keys)+": "+x.Reason)
		default:
			sum.absent++
		}
	}
	if len(scores) > 0 && len(sum.values) > 0 {
		stop.Now(op, fmt.Sprintf("%q holds scores and measured numbers in one group (%s)", result, s.place(rows[0], s.keys)), "give them different names")
	}
	if len(scores) > 0 {
		sum.score = s.combine(op, scores, rows[0])
	}
	return sum
}

func (s *Study) combine(op string, scores []eval.Score, row Row) eval.Score {
	list := make([]core.Score, len(scores))
	for i, sc := range scores {
		list[i] = sc.Score
	}
	c, err := core.Combine(list)
	if err != nil {
		panic(&stop.Error{Op: op, Msg: "the group of row " + s.place(row, s.keys) + ": " + err.Error(), Err: err,
			Hint: "make what differs a key of the table"})
	}
	return eval.Score{Score: c}
}

// Table returns one line for each group of rows with the same values of keys, in order of first appearance: for each score
// its mean times 100, its 95 % interval (a bootstrap over documents and, where a group has several, over seeds), and the
// number of documents and seeds; for each measured number its mean and range. Gaps are counted and named below the table.
// Without keys there is one line for all rows.
func (s *Study) Table(keys ...string) *Table {
	const op = "study.Table"
	s.need(op, keys...)
	t := &Table{Title: s.Name}
	for _, k := range keys {
		t.column(k, s.numeric(k))
	}
	groups := s.groups(keys, nil)
	sums := make([][]summary, len(s.results)) // by result, then by group
	gaps := false
	for r, result := range s.results {
		sums[r] = make([]summary, len(groups))
		for g := range groups {
			sums[r][g] = s.sum(op, groups[g].rows, result)
			gaps = gaps || len(sums[r][g].failed) > 0
		}
	}
	cells := make([][]string, len(groups))
	for g := range groups {
		for _, v := range groups[g].values {
			cells[g] = append(cells[g], label(v))
		}
	}
	for r, result := range s.results {
		s.resultColumns(t, cells, result, sums[r])
	}
	if gaps {
		t.column("failed", true)
		for g := range groups {
			n := 0
			for r := range s.results {
				n += len(sums[r][g].failed)
				for _, f := range sums[r][g].failed {
					t.Notes = append(t.Notes, "failed: "+f)
				}
			}
			cells[g] = append(cells[g], fmt.Sprint(n))
		}
	}
	t.Rows = cells
	if rest := s.averaged(groups, keys); rest != nil {
		t.Notes = append(t.Notes, "each line is over the values of "+strings.Join(rest, ", ")+" as well")
	}
	return t
}

// resultColumns appends the columns of one result to every row of cells.
func (s *Study) resultColumns(t *Table, cells [][]string, result string, sums []summary) {
	prefix := ""
	if len(s.results) > 1 {
		prefix = result + " "
	}
	var metrics []string
	measured := false
	for _, x := range sums {
		if x.score.N > 0 {
			metrics = union(metrics, []string{x.score.Metric})
			for _, n := range x.score.Notes {
				t.Notes = union(t.Notes, []string{n})
			}
		}
		measured = measured || len(x.values) > 0
	}
	if metrics == nil && measured {
		t.column(result, true)
		t.column(prefix+"range", true)
		t.column(prefix+"runs", true)
		for g, x := range sums {
			if len(x.values) == 0 {
				cells[g] = append(cells[g], "—", "", "0")
				continue
			}
			total := 0.0
			for _, v := range x.values {
				total += v
			}
			cells[g] = append(cells[g], fmt.Sprintf("%.4g", total/float64(len(x.values))),
				fmt.Sprintf("%.4g to %.4g", slices.Min(x.values), slices.Max(x.values)), fmt.Sprint(len(x.values)))
		}
		return
	}
	name := result
	if len(metrics) == 1 && metrics[0] != result {
		name += " (" + metrics[0] + ")"
	}
	t.column(name, true)
	t.column(prefix+"95 %", true)
	t.column(prefix+"documents", true)
	t.column(prefix+"seeds", true)
	runs := slices.ContainsFunc(sums, func(x summary) bool { return x.score.N > 0 && x.score.DistinctSeeds() != len(x.score.Seeds) })
	if runs {
		t.column(prefix+"runs", true)
	}
	for g, x := range sums {
		if x.score.N == 0 {
			cells[g] = append(cells[g], "—", "", "", "0")
			if runs {
				cells[g] = append(cells[g], "0")
			}
			continue
		}
		cells[g] = append(cells[g], x.score.Text(x.score.Mean), x.score.Text(x.score.Lo)+" to "+x.score.Text(x.score.Hi), fmt.Sprint(x.score.N), fmt.Sprint(x.score.DistinctSeeds()))
		if runs {
			cells[g] = append(cells[g], fmt.Sprint(len(x.score.Seeds)))
		}
	}
}

// averaged returns the keys other than keys and Over that take several values within a group.
func (s *Study) averaged(groups []group, keys []string) []string {
	var rest []string
	for _, k := range s.keys {
		if k == s.Over || slices.Contains(keys, k) {
			continue
		}
		for _, g := range groups {
			if slices.ContainsFunc(g.rows, func(r Row) bool { return id(r[k]) != id(g.rows[0][k]) }) {
				rest = append(rest, k)
				break
			}
		}
	}
	return rest
}

// Pivot returns a table with a line for each value of row and a column for each value of column; a cell is the mean of the
// score times 100 with its interval, "—" where there is no row, "failed" where all rows of the cell are gaps.
func (s *Study) Pivot(row, column, score string) *Table {
	const op = "study.Pivot"
	s.need(op, row, column)
	score = s.result(op, score)
	t := &Table{Title: fmt.Sprintf("%s: %s by %s and %s", s.Name, score, row, column)}
	t.column(row, s.numeric(row))
	columns := s.groups([]string{column}, nil)
	for _, c := range columns {
		t.column(column+" "+label(c.values[0]), true)
	}
	for _, r := range s.groups([]string{row}, nil) {
		cells := []string{label(r.values[0])}
		for _, c := range columns {
			var rows []Row
			for _, x := range r.rows {
				if id(x[column]) == id(c.values[0]) {
					rows = append(rows, x)
				}
			}
			if len(rows) == 0 {
				cells = append(cells, "—")
				continue
			}
			sum := s.sum(op, rows, score)
			for _, f := range sum.failed {
				t.Notes = append(t.Notes, "failed: "+f)
			}
			switch {
			case sum.score.N > 0:
				cells = append(cells, fmt.Sprintf("%s (%s to %s)", sum.score.Text(sum.score.Mean), sum.score.Text(sum.score.Lo), sum.score.Text(sum.score.Hi)))
			case len(sum.values) > 0:
				total := 0.0
				for _, v := range sum.values {
					total += v
				}
				cells = append(cells, fmt.Sprintf("%.4g", total/float64(len(sum.values))))
			case len(sum.failed) > 0:
				cells = append(cells, "failed")
			default:
				cells = append(cells, "—")
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// Point is one group of a study with its score, as charts draw it.
type Point struct {
	By     string     // value of the key that names the line; "" when there is none
	X      string     // value of the key along the axis
	XValue float64    // the same as a number; NaN when it is none
	Score  eval.Score // N is 0 where every row of the group failed
	Failed []string   // gaps with their reasons
}

// Points returns one point for each value of x and by, in order of first appearance, with the score of the rows there. By
// may be empty. Score may be empty when the study has one result only.
func (s *Study) Points(x, by, score string) []Point {
	const op = "study.Points"
	keys := []string{x}
	if by != "" {
		keys = append(keys, by)
	}
	s.need(op, keys...)
	score = s.result(op, score)
	var out []Point
	for _, g := range s.groups(keys, nil) {
		sum := s.sum(op, g.rows, score)
		p := Point{X: label(g.values[0]), Score: sum.score, Failed: sum.failed}
		p.XValue, _ = number(g.values[0])
		if by != "" {
			p.By = label(g.values[1])
		}
		if len(sum.values) > 0 {
			stop.Now(op, fmt.Sprintf("%q is a measured number; wanted a score", score), "draw it with chart.Curves")
		}
		out = append(out, p)
	}
	return out
}

// String is what Show gives in text, for fmt.Println.
func (t *Table) String() string { text, _ := t.Show(); return text }
