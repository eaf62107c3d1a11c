package notebook

import (
	"regexp"
	"strings"
)

// A notebook in Markdown is a text whose fenced blocks of Go are its cells:
//
//	```go The title of the cell
//	x := 1
//	```
//
// What stands between them is text. A line <!-- %% --> or <!-- %% title --> ends one text cell and begins another, and a
// fence of {raw} is a cell that is kept for Jupyter.

var (
	fence  = regexp.MustCompile("^(```+|~~~+)[ \t]*([^\r\n]*?)[ \t\r]*$")
	border = regexp.MustCompile(`^<!-- %%(?: (.*?))? -->\r?$`)
)

// mdPart is one cell of a Markdown file: the lines from first to last, counted from 1 without its fences.
type mdPart struct {
	typ, title, source string
	first, last        int
}

// mdParts cuts the text of a Markdown file into cells.
func mdParts(src string) []mdPart {
	var out []mdPart
	lines := strings.Split(src, "\n")
	var text []string
	title, from := "", 1
	began := false // by a border: the cell is there even when it is empty
	flush := func(next int) {
		s := strings.Trim(strings.Join(text, "\n"), "\n")
		if strings.TrimSpace(s) != "" || began {
			out = append(out, mdPart{"markdown", title, s, from, next - 1})
		}
		text, title, began, from = nil, "", false, next
	}
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		if m := border.FindStringSubmatch(l); m != nil {
			flush(i + 1)
			title, began, from = m[1], true, i+2
			continue
		}
		m := fence.FindStringSubmatch(l)
		if m == nil || m[1][0] == '`' && strings.Contains(m[2], "`") {
			text = append(text, l)
			continue
		}
		end := i + 1
		for end < len(lines) && !closes(lines[end], m[1]) {
			end++
		}
		lang, rest, _ := strings.Cut(m[2], " ")
		typ := map[string]string{"go": "code", "golang": "code", "{raw}": "raw"}[lang]
		if typ == "" || end == len(lines) {
			// Another language, or a fence that nothing closes: text.
			text = append(text, lines[i:min(end+1, len(lines))]...)
			i = end
			continue
		}
		flush(i + 1)
		out = append(out, mdPart{typ, strings.TrimSpace(rest), strings.Join(lines[i+1:end], "\n"), i + 2, end})
		i, from = end, end+2
	}
	flush(len(lines) + 1)
	return out
}

// closes reports the line that ends a fence.
func closes(l, open string) bool {
	l = strings.TrimRight(l, " \t\r")
	return len(l) >= len(open) && strings.Trim(l, open[:1]) == ""
}

// parseMarkdown reads a notebook to run. Errors give the lines of the file.
func parseMarkdown(name, src string) *File {
	f := &File{Name: name, Source: src, original: src, jupyter: fromText(src, markdownFile)}
	body, _ := markdownFile.cut(src)
	for i, p := range mdParts(body) {
		c := Cell{Title: p.title, Line: p.first, End: p.last, from: p.first, at: i + 1}
		switch p.typ {
		case "code":
			c.Source, c.Line, c.End = p.source, p.first-1, p.last+1
		case "markdown":
			if c.Markdown = p.source; strings.TrimSpace(p.source) == "" {
				continue
			}
			if c.Title == "" {
				c.Title = firstLine(p.source)
			}
		default:
			continue
		}
		f.Cells = append(f.Cells, c)
	}
	return f
}

// readMarkdown makes a Jupyter notebook of a Markdown file without its block.
func readMarkdown(src string) *Jupyter {
	n := newJupyter()
	for i, p := range mdParts(src) {
		n.Cells = append(n.Cells, newCell(i, p.typ, p.source, own{Title: p.title}))
	}
	return n
}

// writeMarkdown writes a notebook as a Markdown file, without a block.
func writeMarkdown(n *Jupyter) string {
	var parts []string
	text := false // the cell before is text
	for i := range n.Cells {
		c := &n.Cells[i]
		title := strings.Join(strings.Fields(c.own().Title), " ")
		if c.Type == "markdown" {
			head := ""
			if text || title != "" || strings.TrimSpace(c.Source) == "" {
				head = strings.Replace("<!-- %% "+title+" -->", "%%  ", "%% ", 1) + "\n"
				if c.Source != "" {
					head += "\n"
				}
			}
			s := head + c.Source
			if !strings.HasSuffix(s, "\n") {
				s += "\n"
			}
			parts, text = append(parts, s), true
			continue
		}
		text = false
		lang := map[string]string{"code": "go", "raw": "{raw}"}[c.Type]
		sign := "`"
		if strings.Contains(title, "`") {
			sign = "~"
		}
		marks := strings.Repeat(sign, 3)
		for _, l := range strings.Split(c.Source, "\n") {
			for closes(l, marks) {
				marks += sign
			}
		}
		s := c.Source
		if s != "" {
			s += "\n"
		}
		parts = append(parts, strings.TrimRight(marks+lang+" "+title, " ")+"\n"+s+marks+"\n")
	}
	return strings.Join(parts, "\n")
}
