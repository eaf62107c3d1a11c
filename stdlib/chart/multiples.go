package chart

import (
	"fmt"
	"html"
	"strings"

	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Multiples are small charts of one kind side by side, for a comparison at a glance.
type Multiples struct {
	Title  string
	Charts []*Chart
}

// Grid returns charts side by side under one title: as many in a row as the page has room for, each with its own title.
func Grid(title string, charts ...*Chart) *Multiples {
	const op = "chart.Grid"
	if len(charts) == 0 {
		stop.Now(op, "0 charts; wanted at least one", "")
	}
	for i, c := range charts {
		if c == nil {
			stop.Now(op, fmt.Sprintf("chart %d is nil", i), "")
		}
	}
	return &Multiples{title, charts}
}

// Show returns the charts one after another for a terminal, and side by side for a page.
func (m *Multiples) Show() (text, page string) {
	var b, h strings.Builder
	if m.Title != "" {
		b.WriteString(grid.Visible(m.Title) + "\n\n")
		h.WriteString(`<p class="tb-grid-title"><strong>` + html.EscapeString(grid.Visible(m.Title)) + "</strong></p>\n")
	}
	h.WriteString(`<div class="tb-grid">`)
	for _, c := range m.Charts {
		b.WriteString(c.text() + "\n")
		h.WriteString(c.figure())
	}
	h.WriteString("</div>\n")
	return b.String(), h.String()
}

// String is what Show gives in text, for fmt.Println.
func (m *Multiples) String() string { text, _ := m.Show(); return text }

// SVG returns the charts side by side in one picture, columns in a row; each has the size that p says.
func (m *Multiples) SVG(columns int, p Picture) string {
	if columns < 1 || columns > 20 {
		stop.Now("chart.SVG", fmt.Sprintf("%d columns; wanted 1 to 20", columns), "")
	}
	if p.Width == 0 {
		p.Width = 420
	}
	if p.Height == 0 {
		p.Height = 300
	}
	rows := (len(m.Charts) + columns - 1) / columns
	head := 0
	if m.Title != "" {
		head = 30
	}
	ink, ground := "#1c1d21", "#ffffff"
	if p.Dark {
		ink, ground = "#e6e8ec", "#15171b"
	}
	w, h := min(columns, len(m.Charts))*p.Width, rows*p.Height+head
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img"><rect width="%d" height="%d" fill="%s"/>`, w, h, w, h, w, h, ground)
	if m.Title != "" {
		fmt.Fprintf(&b, `<text x="12" y="21" font-size="16" font-weight="600" fill="%s" font-family="system-ui, 'Liberation Sans', Arial, sans-serif">%s</text>`, ink, html.EscapeString(shorten(m.Title, w/9)))
	}
	for i, c := range m.Charts {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">%s</g>`, i%columns*p.Width, head+i/columns*p.Height, c.SVG(p))
	}
	b.WriteString("</svg>\n")
	return b.String()
}
