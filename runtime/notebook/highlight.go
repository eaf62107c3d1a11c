package notebook

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"html"
	"strings"
)

// highlight returns Go as HTML, its keywords, comments, texts and numbers marked.
func highlight(src string) string {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, []byte(src), func(token.Position, string) {}, scanner.ScanComments)
	var b strings.Builder
	at := 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		class := ""
		switch {
		case tok == token.COMMENT:
			class = "c"
		case tok == token.STRING || tok == token.CHAR:
			class = "s"
		case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
			class = "n"
		case tok.IsKeyword():
			class = "k"
		}
		from := file.Offset(pos)
		// A literal's text is without the carriage returns of the source; such a source stays unmarked there.
		if class == "" || from < at || !strings.HasPrefix(src[from:], lit) {
			continue
		}
		b.WriteString(html.EscapeString(visible(src[at:from])))
		b.WriteString(`<span class="tb-` + class + `">` + html.EscapeString(visible(lit)) + "</span>")
		at = from + len(lit)
	}
	b.WriteString(html.EscapeString(visible(src[at:])))
	return b.String()
}

// parts returns the code of a notebook as a person reads it: what stands before main, what is in each cell without its
// marker and indentation, and what comes after main. In loose cells there is nothing before and after.
func (f *File) parts() (before string, cells []string, after string) {
	cells = make([]string, len(f.Cells))
	open, end := 0, 0 // lines of main's braces
	if f.Program {
		if m := mainOf(f.Source); m != nil {
			open, end = m.open, m.end
		}
	}
	for i := range f.Cells {
		c := &f.Cells[i]
		var own, head, tail []string
		for k, l := range strings.Split(c.Source, "\n") {
			switch n := c.from + k; {
			case f.Program && n < open:
				head = append(head, l)
			case f.Program && (n == open || n == end):
			case f.Program && n > end:
				tail = append(tail, l)
			default:
				own = append(own, l)
			}
		}
		if c.Text() {
			// The text itself is shown as text.
			for len(own) > 0 && (strings.HasPrefix(strings.TrimSpace(own[0]), "//") || strings.TrimSpace(own[0]) == "") {
				own = own[1:]
			}
		}
		before += strings.Join(head, "\n")
		after += strings.Join(tail, "\n")
		cells[i] = dedent(own)
	}
	return before, cells, after
}

// body is where main stands in a file.
type body struct {
	open, end int // lines of its braces, from 1
	from, to  int // bytes behind the opening brace and before the closing one
}

func mainOf(src string) *body {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if f == nil || err != nil {
		return nil
	}
	for _, d := range f.Decls {
		if m := isMain(d); m != nil {
			l, r := fset.PositionFor(m.Lbrace, false), fset.PositionFor(m.Rbrace, false)
			return &body{l.Line, r.Line, l.Offset + 1, r.Offset}
		}
	}
	return nil
}

// dedent takes the tabs away that all lines begin with, lines inside of raw texts left out.
func dedent(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	src := strings.Join(lines, "\n")
	raw := rawLines(src)
	depth := -1
	for i, l := range lines {
		if strings.TrimSpace(l) == "" || raw[i+1] {
			continue
		}
		n := len(l) - len(strings.TrimLeft(l, "\t"))
		if depth < 0 || n < depth {
			depth = n
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if raw[i+1] {
			out[i] = l
			continue
		}
		n := min(max(depth, 0), len(l)-len(strings.TrimLeft(l, "\t")))
		out[i] = l[n:]
	}
	return strings.Trim(strings.Join(out, "\n"), "\n")
}

// rawLines returns the lines, from 1, that begin inside a raw text or a general comment: their spaces are part of it.
func rawLines(src string) map[int]bool {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, []byte(src), func(token.Position, string) {}, scanner.ScanComments)
	raw := map[int]bool{}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return raw
		}
		if tok == token.STRING && strings.HasPrefix(lit, "`") || tok == token.COMMENT && strings.HasPrefix(lit, "/*") {
			first := fset.PositionFor(pos, false).Line
			for k := 1; k <= strings.Count(lit, "\n"); k++ {
				raw[first+k] = true
			}
		}
	}
}

func isMain(d ast.Decl) *ast.BlockStmt {
	if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "main" {
		return f.Body
	}
	return nil
}
