package chart

import (
	"fmt"
	"html"
	"html/template"
	"reflect"
	"strings"

	"tunebook/stdlib/internal/file"
	"tunebook/stdlib/internal/grid"
	"tunebook/stdlib/stop"
)

// Page is a report: texts, tables and charts in the order in which they were added, in one file that needs nothing else.
type Page struct {
	Title string

	parts  []part
	charts int
}

// part is Markdown or HTML of our own.
type part struct{ markdown, html string }

// NewPage returns a page with a title and nothing else.
func NewPage(title string) *Page { return &Page{Title: title} }

// Text adds text in Markdown (CommonMark with tables). HTML in it is shown as text, and pictures as their description,
// since the page loads nothing. The highest heading of all texts comes right below the page's title, whether it is # or ##.
func (p *Page) Text(markdown string) {
	p.parts = append(p.parts, part{markdown: markdown})
}

// Chart adds a chart.
func (p *Page) Chart(c *Chart) {
	if c == nil {
		stop.Now("chart.Page", "the chart is nil", "")
	}
	p.charts++
	p.parts = append(p.parts, part{html: c.figure()})
}

// Table adds a value that shows itself, such as the table of a study.
func (p *Page) Table(v any) { p.Add(v) }

// Add adds a value as it shows itself: its HTML where it has one, else its text. A value that does not know how to show
// itself is added as Go prints it.
func (p *Page) Add(v any) {
	if c, ok := v.(*Chart); ok {
		p.Chart(c)
		return
	}
	text, page, ok := shown(v)
	switch {
	case !ok:
		page = "<pre>" + html.EscapeString(visibleLines(fmt.Sprint(v))) + "</pre>\n"
	case page == "":
		page = "<pre>" + html.EscapeString(visibleLines(text)) + "</pre>\n"
	}
	p.charts += strings.Count(page, `<figure class="tb-chart">`)
	p.parts = append(p.parts, part{html: page})
}

// shown calls Show of v, or of a pointer to it where only that has the method.
func shown(v any) (text, page string, ok bool) {
	type shower interface {
		Show() (text, html string)
	}
	if s, is := v.(shower); is {
		text, page = s.Show()
		return text, page, true
	}
	if v == nil {
		return "", "", false
	}
	at := reflect.New(reflect.TypeOf(v))
	at.Elem().Set(reflect.ValueOf(v))
	if s, is := at.Interface().(shower); is {
		text, page = s.Show()
		return text, page, true
	}
	return "", "", false
}

// visibleLines keeps newlines and makes every other control character visible.
func visibleLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = grid.Visible(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<script>{{.Policy}}</script>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="tunebook">
<title>{{.Title}}</title>
<style>
{{.Style}}</style>
</head>
<body>
<a class="tb-skip" href="#content">Skip to the content</a>
<main id="content">
<h1>{{.Title}}</h1>
{{.Contents}}{{range .Parts}}<section>
{{.}}</section>
{{end}}</main>
{{.Scripts}}</body>
</html>
`))

// HTML returns the page. The same parts give the same bytes.
func (p *Page) HTML() string {
	top := 6 // the highest level of heading in any text
	for _, s := range p.parts {
		top = min(top, highest(s.markdown))
	}
	var parts []template.HTML
	var headings []heading
	for _, s := range p.parts {
		if s.markdown != "" {
			s.html = render(s.markdown, top, &headings)
		}
		parts = append(parts, template.HTML(s.html))
	}
	var scripts []string
	if p.charts > 0 {
		scripts = []string{echartsJS(), pageJS}
	}
	var tags strings.Builder
	for _, s := range scripts {
		tags.WriteString("<script>" + s + "</script>\n")
	}
	var b strings.Builder
	err := pageTemplate.Execute(&b, map[string]any{
		"Title": grid.Visible(p.Title), "Policy": template.JS(policy(scripts...)), "Style": template.CSS(pageCSS),
		"Contents": template.HTML(contents(headings)), "Parts": parts, "Scripts": template.HTML(tags.String()),
	})
	stop.If("chart.Page", err)
	return b.String()
}

// Save writes the page to path, whole or not at all, and returns the absolute path.
func (p *Page) Save(path string) string {
	abs, err := file.Write(path, []byte(p.HTML()))
	stop.If("chart.Save", err)
	return abs
}

// Show returns what the page holds.
func (p *Page) Show() (text, html string) {
	return fmt.Sprintf("page %q: %s, %s\n", grid.Visible(p.Title), grid.Plural(len(p.parts), "part"), grid.Plural(p.charts, "chart")), ""
}
