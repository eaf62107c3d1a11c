package show

import (
	"fmt"
	"html"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
)

// table is a slice of structs, of maps or of equal rows, as rows and columns.
type table struct {
	head  []string
	rows  [][]string
	right []bool // numbers stand at the right
	total int    // rows there are
	what  string
}

// tableOf reads a slice of structs (or of pointers to them), or a map with a string key and struct values.
func tableOf(v reflect.Value) (*table, bool) {
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array || v.Len() == 0 {
		return nil, false
	}
	st := v.Type().Elem()
	if st.Kind() == reflect.Pointer {
		st = st.Elem()
	}
	if st.Kind() != reflect.Struct || st.NumField() == 0 || v.Type().Elem().Implements(stringer) || v.Type().Elem().Implements(errorType) {
		return nil, false
	}
	t := &table{total: v.Len(), what: typeName(st)}
	var fields []int
	for i := range st.NumField() {
		if f := st.Field(i); f.Name != "_" {
			fields = append(fields, i)
			t.head = append(t.head, fieldName(f))
			switch f.Type.Kind() {
			case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
				reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
				t.right = append(t.right, true)
			default:
				t.right = append(t.right, false)
			}
		}
	}
	if len(fields) == 0 {
		return nil, false
	}
	for i := 0; i < v.Len() && i < MaxRows; i++ {
		e := v.Index(i)
		if e.Kind() == reflect.Pointer {
			if e.IsNil() {
				row := make([]string, len(fields))
				row[0] = "nil"
				t.rows = append(t.rows, row)
				continue
			}
			e = e.Elem()
		}
		var row []string
		for _, f := range fields {
			x := e.Field(f)
			switch x.Kind() {
			case reflect.String:
				row = append(row, oneLine(x.String()))
			case reflect.Float32, reflect.Float64:
				row = append(row, rounded(x.Float()))
			default:
				row = append(row, oneLine(inline(x, 1)))
			}
		}
		t.rows = append(t.rows, row)
	}
	return t, true
}

var (
	stringer  = reflect.TypeFor[fmt.Stringer]()
	errorType = reflect.TypeFor[error]()
)

// rounded writes a float of a table: a column is for comparing, and six digits are enough for that. Whole numbers are
// written out.
func rounded(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return number(f, 64)
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}

// oneLine shortens a text to a table's cell.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return '⏎'
		case r < ' ' || r == 0x7f:
			return ' '
		}
		return r
	}, s)
	return runewidth.Truncate(s, MaxCell, "…")
}

func (t *table) count() string {
	if t.total <= len(t.rows) {
		return ""
	}
	return fmt.Sprintf("… and %d more of %d rows", t.total-len(t.rows), t.total)
}

// text writes the table for a terminal.
func (t *table) text() string {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(c))
		}
	}
	var b strings.Builder
	line := func(row []string) {
		var l strings.Builder
		for i, c := range row {
			if i > 0 {
				l.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-runewidth.StringWidth(c))
			if t.right[i] {
				l.WriteString(pad + c)
			} else {
				l.WriteString(c + pad)
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(t.head)
	var rule []string
	for _, w := range widths {
		rule = append(rule, strings.Repeat("─", w))
	}
	line(rule)
	for _, r := range t.rows {
		line(r)
	}
	b.WriteString(t.count())
	return strings.TrimRight(b.String(), "\n")
}

// Fit cuts the tables in a text to a window of so many columns: a line that is wrapped pulls a table's columns apart.
// Lines that belong to no table stay whole. A table is known by the rule below its head.
func Fit(text string, width int) string {
	lines := strings.Split(text, "\n")
	in := false
	for i, l := range lines {
		switch {
		case i+1 < len(lines) && isRule(lines[i+1]):
			in = true
		case strings.TrimSpace(l) == "":
			in = false
		}
		if in && runewidth.StringWidth(l) > width && width > 1 {
			lines[i] = runewidth.Truncate(l, width, "…")
		}
	}
	return strings.Join(lines, "\n")
}

func isRule(l string) bool { return strings.Contains(l, "──") && strings.Trim(l, "─ ") == "" }

// html writes the table for a page.
func (t *table) html() string {
	var b strings.Builder
	b.WriteString("<table><thead><tr>")
	for _, h := range t.head {
		b.WriteString("<th>" + html.EscapeString(h) + "</th>")
	}
	b.WriteString("</tr></thead><tbody>\n")
	for _, r := range t.rows {
		b.WriteString("<tr>")
		for i, c := range r {
			if t.right[i] {
				b.WriteString(`<td style="text-align:right">` + html.EscapeString(c) + "</td>")
			} else {
				b.WriteString("<td>" + html.EscapeString(c) + "</td>")
			}
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table>")
	if c := t.count(); c != "" {
		b.WriteString("<p>" + html.EscapeString(c) + "</p>")
	}
	return b.String()
}
