// Package grid lays out a table of texts for a terminal, a page, a spreadsheet and a manuscript. Cells are shown as text
// in all four, whatever they hold.
package grid

import (
	"encoding/csv"
	"fmt"
	"html"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// Table is a caption, named columns, rows of as many cells, and notes below.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]string
	Notes   []string
}

// Column is a name with the side on which its cells are flush.
type Column struct {
	Name  string
	Right bool
}

// MaxCell is the widest a cell gets in a terminal, in columns; the rest is cut with an ellipsis.
const MaxCell = 72

// Visible returns s on one line, with control and direction-changing characters replaced by pictures of them, so that no
// text can move the cursor or colour what follows.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return '⏎'
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7f:
			return '␡'
		case r < 0xa0 && r > 0x7f, unicode.In(r, unicode.Bidi_Control), r == 0x2028, r == 0x2029:
			return '·'
		}
		return r
	}, s)
}

// Text returns the table for a terminal: columns two spaces apart under a rule, notes at the end.
func (t *Table) Text() string {
	width := make([]int, len(t.Columns))
	cell := func(s string) string { return runewidth.Truncate(Visible(s), MaxCell, "…") }
	for i, c := range t.Columns {
		width[i] = runewidth.StringWidth(cell(c.Name))
		for _, row := range t.Rows {
			width[i] = max(width[i], runewidth.StringWidth(cell(row[i])))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		var out strings.Builder
		for i, s := range cells {
			if i > 0 {
				out.WriteString("  ")
			}
			s = cell(s)
			pad := strings.Repeat(" ", width[i]-runewidth.StringWidth(s))
			if t.Columns[i].Right {
				out.WriteString(pad + s)
			} else {
				out.WriteString(s + pad)
			}
		}
		b.WriteString(strings.TrimRight(out.String(), " ") + "\n")
	}
	if t.Caption != "" {
		b.WriteString(Visible(t.Caption) + "\n")
	}
	names, rules := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i], rules[i] = c.Name, strings.Repeat("─", width[i])
	}
	line(names)
	b.WriteString(strings.Join(rules, "  ") + "\n")
	for _, row := range t.Rows {
		line(row)
	}
	for _, n := range t.Notes {
		b.WriteString("note: " + Visible(n) + "\n")
	}
	return b.String()
}

// HTML returns the table as an element of class tb-table, with its notes.
func (t *Table) HTML() string {
	var b strings.Builder
	b.WriteString(`<div class="tb-scroll" tabindex="0"><table class="tb-table">`)
	if t.Caption != "" {
		b.WriteString("<caption>" + html.EscapeString(Visible(t.Caption)) + "</caption>")
	}
	side := func(i int) string {
		if t.Columns[i].Right {
			return ` class="tb-right" style="text-align:right"`
		}
		return ` style="text-align:left"`
	}
	b.WriteString("<thead><tr>")
	for i, c := range t.Columns {
		b.WriteString(`<th scope="col"` + side(i) + ">" + html.EscapeString(Visible(c.Name)) + "</th>")
	}
	b.WriteString("</tr></thead><tbody>\n")
	for _, row := range t.Rows {
		b.WriteString("<tr>")
		for i, s := range row {
			b.WriteString("<td" + side(i) + ">" + html.EscapeString(Visible(s)) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody></table></div>\n")
	for _, n := range t.Notes {
		b.WriteString(`<p class="tb-note">` + html.EscapeString(Visible(n)) + "</p>\n")
	}
	return b.String()
}

// Markdown returns the table in GitHub's form, with the caption above and the notes below.
func (t *Table) Markdown() string {
	clean := func(s string) string {
		return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`).Replace(Visible(s))
	}
	var b strings.Builder
	if t.Caption != "" {
		b.WriteString(clean(t.Caption) + "\n\n")
	}
	for _, c := range t.Columns {
		b.WriteString("| " + clean(c.Name) + " ")
	}
	b.WriteString("|\n")
	for _, c := range t.Columns {
		if c.Right {
			b.WriteString("|---:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	for _, row := range t.Rows {
		for _, s := range row {
			b.WriteString("| " + clean(s) + " ")
		}
		b.WriteString("|\n")
	}
	for _, n := range t.Notes {
		b.WriteString("\n" + clean(n) + "\n")
	}
	return b.String()
}

// CSV returns the columns and rows by RFC 4180, without caption and notes. Cells are written as they are.
func CSV(columns []string, rows [][]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(columns)
	w.WriteAll(rows)
	return b.String()
}

// Plural returns a number with what it counts: "1 run", "2 runs".
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
