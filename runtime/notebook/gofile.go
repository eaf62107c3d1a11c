package notebook

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// readGo makes a Jupyter notebook of a Go file without its block. The cells of a program are those of main, without its
// indentation; what stands before main, but for the package clause, is the first cell, what stands after it the second.
func readGo(src string) *Jupyter {
	n, _ := fromGo(Parse("", src))
	return n
}

// fromGo is readGo; at gives the place of each cell's code in the notebook, -1 where it has none.
func fromGo(f *File) (n *Jupyter, at []int) {
	n = newJupyter()
	add := func(typ, source string, o own) int {
		n.Cells = append(n.Cells, newCell(len(n.Cells), typ, source, o))
		return len(n.Cells) - 1
	}
	at = make([]int, len(f.Cells))
	program := f.Program && mainOf(f.Source) != nil
	var cells []string
	if program {
		before, own, after := f.parts()
		cells = own
		head, top := cutPackage(before)
		n.rest = setOwn(n.rest, ownTop{Program: true, Head: head})
		if top = strings.Trim(top, "\n"); top != "" {
			add("code", top, ownOf("", "top"))
		}
		if after = strings.Trim(after, "\n"); after != "" {
			add("code", after, ownOf("", "end"))
		}
	}
	for i := range f.Cells {
		c := &f.Cells[i]
		code := strings.Trim(c.Source, "\n")
		if program {
			code = cells[i]
		}
		at[i] = -1
		switch {
		case c.raw:
			add("raw", c.rawText, ownOf(c.Title, ""))
		case c.Text():
			title := c.Title
			if title == firstLine(c.Markdown) {
				title = ""
			}
			add("markdown", strings.TrimSuffix(c.Markdown, "\n"), ownOf(title, ""))
			if c.Code() && !program {
				code = belowText(code)
				at[i] = add("code", code, own{})
			} else if program && strings.TrimSpace(code) != "" {
				at[i] = add("code", code, own{})
			}
		case strings.TrimSpace(code) == "" && c.Title == "" && i == 0:
		default:
			at[i] = add("code", code, ownOf(c.Title, ""))
		}
	}
	return n, at
}

func ownOf(title, part string) own { return own{Title: title, Part: part} }

// belowText returns the lines of a text cell below its comment lines.
func belowText(src string) string {
	lines := strings.Split(src, "\n")
	for len(lines) > 0 && (strings.HasPrefix(strings.TrimSpace(lines[0]), "//") || strings.TrimSpace(lines[0]) == "") {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n")
}

// cutPackage cuts the text before main behind the line of its package clause.
func cutPackage(s string) (head, rest string) {
	fset := token.NewFileSet()
	f, _ := parser.ParseFile(fset, "", s, parser.PackageClauseOnly)
	if f == nil || !f.Package.IsValid() {
		return "", s
	}
	line := fset.PositionFor(f.Name.End(), false).Line
	lines := strings.SplitAfter(s, "\n")
	return strings.TrimSuffix(strings.Join(lines[:line], ""), "\n"), strings.Join(lines[line:], "")
}

// writeGo writes a notebook as a Go file, without a block: as a program where it was one and its cells still fit into a
// func, else as loose cells.
func writeGo(n *Jupyter) string {
	top := n.own()
	if top.Program {
		if s, ok := writeProgram(n, top); ok {
			return s
		}
	}
	return strings.Join(cellTexts(n.Cells, ""), "\n")
}

func writeProgram(n *Jupyter, top ownTop) (string, bool) {
	var before, after []string
	var body []JupyterCell
	for _, c := range n.Cells {
		switch part := c.own().Part; {
		case c.Type == "code" && part == "top":
			before = append(before, c.Source)
		case c.Type == "code" && part == "end":
			after = append(after, c.Source)
		default:
			if c.Type == "code" && !onlyStatements(c.Source) {
				return "", false
			}
			body = append(body, c)
		}
	}
	var b strings.Builder
	b.WriteString(top.Head + "\n\n")
	for _, s := range before {
		b.WriteString(s + "\n\n")
	}
	b.WriteString("func main() {\n" + strings.Join(cellTexts(body, "\t"), "\n") + "}\n")
	for _, s := range after {
		b.WriteString("\n" + s + "\n")
	}
	return b.String(), true
}

// cellTexts writes cells below their markers. The first needs none when it is code without a title.
func cellTexts(cells []JupyterCell, indent string) []string {
	var out []string
	for i := range cells {
		c := &cells[i]
		title := strings.Join(strings.Fields(c.own().Title), " ")
		kind := map[string]string{"markdown": "[markdown] ", "raw": "[raw] "}[c.Type]
		var b strings.Builder
		if i > 0 || title != "" || c.Type != "code" {
			b.WriteString(strings.TrimRight(indent+"// %% "+kind+title, " ") + "\n")
		}
		switch {
		case c.Type != "code":
			for _, l := range strings.Split(c.Source, "\n") {
				b.WriteString(strings.TrimRight(indent+"// "+l, " \t\r") + "\n")
			}
		case c.Source != "":
			raw := rawLines(c.Source)
			for k, l := range strings.Split(c.Source, "\n") {
				if l != "" && !raw[k+1] {
					l = indent + l
				}
				b.WriteString(l + "\n")
			}
		}
		out = append(out, b.String())
	}
	return out
}

// onlyStatements reports that code can stand in the body of a func.
func onlyStatements(src string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc _() {\n"+src+"\n}\n", parser.SkipObjectResolution)
	return err == nil
}

// Jupyter returns the notebook as Jupyter stores it, with the outputs of this run. A cell that was to run and did not has
// none; cells that were not chosen keep what they had.
func (r *Record) Jupyter() *Jupyter {
	f := r.Plan.File
	n, at := f.jupyter, make([]int, len(f.Cells))
	switch {
	case n != nil:
		n = n.clone()
		for i := range f.Cells {
			at[i] = f.Cells[i].at - 1
		}
	default:
		n = fromText(f.original, golang)
		_, at = fromGo(Parse("", f.original))
	}
	_, parts, _ := f.parts()
	shown := 0
	for i := range f.Cells {
		if r.Plan.Number[i] == 0 || at[i] < 0 || at[i] >= len(n.Cells) || n.Cells[at[i]].Type != "code" {
			continue
		}
		c := &n.Cells[at[i]]
		if len(r.Plan.Set) > 0 {
			if f.jupyter != nil {
				c.Source = f.Cells[i].Source
			} else {
				c.Source = parts[i]
			}
		}
		if !r.Plan.Run[i] {
			continue
		}
		ran := &r.Cells[i]
		if !ran.Ran {
			c.rest = c.rest.with("outputs", []any{}).with("execution_count", nil)
			continue
		}
		shown++
		c.rest = c.rest.with("outputs", outputsOf(&ran.Result, shown)).with("execution_count", shown)
	}
	// What the variables at the top printed belongs to the cell that declares them, what was deferred to the last one.
	for _, o := range []struct {
		out []any
		at  int
	}{
		{outputsOf(&r.Before, 1), slices.IndexFunc(n.Cells, func(c JupyterCell) bool { return c.own().Part == "top" })},
		{outputsOf(&r.After, 1), lastCode(n)},
	} {
		if len(o.out) > 0 && o.at >= 0 {
			c := &n.Cells[o.at]
			c.rest = c.rest.with("outputs", append(outputsIn(c), o.out...))
		}
	}
	return n
}

func lastCode(n *Jupyter) int {
	for i := len(n.Cells) - 1; i >= 0; i-- {
		if n.Cells[i].Type == "code" {
			return i
		}
	}
	return -1
}
