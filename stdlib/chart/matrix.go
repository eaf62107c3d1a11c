package chart

import (
	"fmt"
	"math"
	"strconv"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
	"tunebook/stdlib/study"
)

// Matrix is a table of numbers that is drawn as a heat map: Values[i][j] belongs to Rows[i] and Columns[j]. NaN is a gap.
type Matrix struct {
	Title, RowName, ColumnName string
	Rows, Columns              []string
	Values                     [][]float64
	Decimals                   int  // digits after the point; -1 for no numbers in the cells
	Diverging                  bool // colours part at 0, for differences
	Unit                       string
}

// cells is how many cells of a heat map show their number; beyond, they would not be read.
const numbered = 900

// sequential and diverging colours, light to dark, that the colour-blind and a black-and-white print keep apart: the first
// falls in lightness alone, the second runs from Okabe and Ito's vermillion over white to their blue.
var (
	sequential = []string{"#f7fbff", "#d0e1f2", "#94c4df", "#4a98c9", "#1764ab", "#08306b"}
	diverging  = []string{"#8c3500", "#d55e00", "#f2b28a", "#f7f7f7", "#8ec1e2", "#0072b2", "#00395a"}
)

// Heat returns the matrix as a heat map with its numbers in the cells: a confusion matrix, scores of task by task.
func Heat(m Matrix) *Chart {
	const op = "chart.Heat"
	if len(m.Rows) == 0 || len(m.Columns) == 0 || len(m.Values) != len(m.Rows) {
		stop.Now(op, fmt.Sprintf("%d rows, %d columns and %d lists of values; wanted at least one of each and a list for each row", len(m.Rows), len(m.Columns), len(m.Values)), "")
	}
	k := kind{title: m.Title, xName: m.ColumnName, yName: m.RowName, what: "Heat map", rows: len(m.Rows)}
	lo, hi := math.Inf(1), math.Inf(-1)
	for i, row := range m.Values {
		if len(row) != len(m.Columns) {
			stop.Now(op, fmt.Sprintf("row %q has %d values; wanted %d, one for each column", m.Rows[i], len(row), len(m.Columns)), "")
		}
		for _, v := range row {
			if finite(v) == nil {
				k.lost++
				continue
			}
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		stop.Now(op, "no value is finite", "")
	}
	if m.Diverging {
		hi = max(math.Abs(lo), math.Abs(hi))
		lo = -hi
	}
	if lo == hi {
		hi = lo + 1
	}
	colours := sequential
	if m.Diverging {
		colours = diverging
	}
	print := func(v float64) string {
		if finite(v) == nil {
			return "—"
		}
		return strconv.FormatFloat(v, 'f', max(0, m.Decimals), 64)
	}
	var cells []map[string]any
	var tips, labels []string
	k.table = grid.Table{Columns: []grid.Column{{Name: m.RowName}}}
	for _, c := range m.Columns {
		k.table.Columns = append(k.table.Columns, grid.Column{Name: c, Right: true})
	}
	name, cell := widest(m.Rows, 18), 0
	for _, c := range m.Columns {
		cell = max(cell, widest([]string{c}, 8))
	}
	for i, row := range m.Values {
		texts := []string{m.Rows[i]}
		line := column(m.Rows[i], name)
		for j, v := range row {
			texts = append(texts, print(v))
			share := (v - lo) / (hi - lo)
			if finite(v) == nil {
				line += " " + column("—", cell)
				continue
			}
			ink := "#1c1d21"
			if !m.Diverging && share > 0.55 || m.Diverging && math.Abs(share-0.5) > 0.33 {
				ink = "#ffffff"
			}
			cells = append(cells, map[string]any{"value": []any{j, i, v}, "label": map[string]any{"color": ink}})
			tips = append(tips, fmt.Sprintf("%s, %s: %s%s", m.Rows[i], m.Columns[j], print(v), m.Unit))
			labels = append(labels, print(v))
			shade := []rune(" ░▒▓█")[min(4, int(share*5))]
			line += " " + column(string(shade)+print(v), cell)
		}
		k.table.Rows = append(k.table.Rows, texts)
		k.lines = append(k.lines, line)
	}
	head := column("", name)
	for _, c := range m.Columns {
		head += " " + column(c, cell)
	}
	k.lines = append([]string{head}, k.lines...)
	for i, l := range k.lines {
		k.lines[i] = column(l, 72)
	}
	k.points = len(cells)
	k.tips = [][]string{tips}
	if m.Decimals >= 0 && len(cells) <= numbered {
		k.labels = [][]string{labels}
	}
	rows := categories(m.RowName, m.Rows, 0)
	rows["inverse"] = true // the first row stands at the top
	rows["nameLocation"], rows["nameGap"] = "start", 14
	columns := categories(m.ColumnName, m.Columns, 30)
	columns["splitArea"], rows["splitArea"] = map[string]any{"show": false}, map[string]any{"show": false}
	k.option = map[string]any{"xAxis": columns, "yAxis": rows, "grid": room(70), "tooltip": map[string]any{"trigger": "item"},
		"visualMap": map[string]any{"type": "continuous", "min": lo, "max": hi, "calculable": false, "right": 0, "top": 40, "itemHeight": 140, "itemWidth": 14, "text": []string{print(hi), print(lo)},
			"inRange": map[string]any{"color": colours}, "dimension": 2},
		"series": []map[string]any{{"type": "heatmap", "data": cells}}}
	return k.chart(op)
}

// Confusion returns which labels the answers of a score took for which: rows are the right labels, columns the predicted
// ones, cells the number of documents. Predictions that are no right label anywhere share one column, "(other)".
func Confusion(s eval.Score) *Chart {
	const op = "chart.Confusion"
	if len(s.Rows) == 0 {
		stop.Now(op, "the score keeps no rows", "")
	}
	at := map[string]int{}
	var labels []string
	for _, r := range s.Rows {
		if _, have := at[right(r)]; !have {
			at[right(r)] = len(labels)
			labels = append(labels, right(r))
		}
	}
	if len(labels) > 200 {
		stop.Now(op, fmt.Sprintf("%d different right answers; wanted labels, at most 200", len(labels)), "")
	}
	columns := append([]string(nil), labels...)
	values := make([][]float64, len(labels))
	for i := range values {
		values[i] = make([]float64, len(labels)+1)
	}
	other := false
	for _, r := range s.Rows {
		j, known := at[r.Cleaned]
		if !known {
			j, other = len(labels), true
		}
		values[at[right(r)]][j]++
	}
	if other {
		columns = append(columns, "(other)")
	} else {
		for i := range values {
			values[i] = values[i][:len(labels)]
		}
	}
	return Heat(Matrix{Title: "Right and predicted labels", RowName: "right", ColumnName: "predicted", Rows: labels, Columns: columns, Values: values, Unit: " documents"})
}

func right(r eval.Row) string {
	if r.Answer == "" && len(r.Refs) > 0 {
		return r.Refs[0]
	}
	return r.Answer
}

// Transfer returns the scores of a study as a heat map of one key by another, such as what was trained on by what was asked.
// Groups whose rows all failed are gaps, named in notes.
func Transfer(st *study.Study, rowKey, columnKey, score string) *Chart {
	const op = "chart.Transfer"
	if st == nil || st.Len() == 0 {
		stop.Now(op, "the study has no rows; wanted at least one", "")
	}
	m := Matrix{Title: st.Name, RowName: rowKey, ColumnName: columnKey, Decimals: 1}
	rows, columns := map[string]int{}, map[string]int{}
	points := st.Points(columnKey, rowKey, score)
	for _, p := range points {
		if _, have := rows[p.By]; !have {
			rows[p.By] = len(m.Rows)
			m.Rows = append(m.Rows, p.By)
		}
		if _, have := columns[p.X]; !have {
			columns[p.X] = len(m.Columns)
			m.Columns = append(m.Columns, p.X)
		}
	}
	for range m.Rows {
		line := make([]float64, len(m.Columns))
		for j := range line {
			line[j] = math.NaN()
		}
		m.Values = append(m.Values, line)
	}
	var notes []string
	for _, p := range points {
		if p.Score.N > 0 {
			m.Values[rows[p.By]][columns[p.X]] = p.Score.Shown(p.Score.Mean)
		}
		for _, f := range p.Failed {
			notes = append(notes, "failed: "+f)
		}
	}
	c := Heat(m)
	c.Notes = append(c.Notes, notes...)
	return c
}

// Attention returns how much each token looks at each other one: weights[i][j] is how much token i takes from token j.
func Attention(title string, tokens []string, weights [][]float64) *Chart {
	names := make([]string, len(tokens))
	for i, t := range tokens {
		names[i] = fmt.Sprintf("%d %s", i, strconv.Quote(t)[1:len(strconv.Quote(t))-1])
	}
	return Heat(Matrix{Title: title, RowName: "token", ColumnName: "looks at", Rows: names, Columns: names, Values: weights, Decimals: 2})
}
