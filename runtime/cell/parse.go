package cell

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parsed is a cell or file as syntax, not yet checked.
type parsed struct {
	id      string            // of its source
	imports map[string]string // what it imports, name to path
	decls   []*decl
	body    *ast.FuncDecl // its statements as one function, or nil
	file    *ast.File     // the file that body stands in
	idents  []*ast.Ident  // unresolved in file
	errs    Errors
}

const cellFunc = "cell" + hiddenMark + "f"

// parse reads a cell.
func (s *Scope) parse(name, src string) *parsed {
	p := &parsed{id: s.addSource(name, src), imports: map[string]string{}}
	if at, msg := unreadable(src); msg != "" {
		at.Filename = p.id
		p.errs = Errors{s.at(at, msg)}
		return p
	}
	var body strings.Builder
	body.WriteString("package main\nfunc " + cellFunc + "() {\n")
	statements := 0
	for _, part := range Split(src) {
		at := fmt.Sprintf("/*line %s:%d:%d*/", p.id, part.Line, part.Col)
		switch part.Kind {
		case Statement:
			statements++
			// Each by itself: a mistake in one says nothing about those that follow.
			if f := s.parseFile(p, "package main\nfunc _() {\n"+at+part.Text+"\n}\n", &part); f != nil {
				body.WriteString(at + part.Text + "\n")
			}
		default:
			f := s.parseFile(p, "package main\n"+at+part.Text+"\n", &part)
			if f == nil {
				continue
			}
			for _, d := range f.Decls {
				s.addDecl(p, f, d, part.Text)
			}
		}
	}
	if statements > 0 && len(p.errs) == 0 {
		body.WriteString("}\n")
		if f := s.parseFile(p, body.String(), nil); f != nil {
			p.file, p.body, p.idents = f, f.Decls[0].(*ast.FuncDecl), f.Unresolved
		}
	}
	return p
}

// unreadable says what keeps a cell from being read at all, and where: a byte that is no text, the first bracket that
// closes nothing, the last that nothing closes. The parser would complain about what it met instead.
func unreadable(src string) (at token.Position, msg string) {
	toks, file, wrong, _ := scan(src)
	for i, r := range src {
		if _, n := utf8.DecodeRuneInString(src[i:]); r == utf8.RuneError && n == 1 {
			return file.Position(file.Pos(i)), fmt.Sprintf("byte %#x is no UTF-8", src[i])
		}
	}
	if wrong != "" {
		return at, "" // brackets may be in what is no text of Go
	}
	var open []tokenAt
	for _, t := range toks {
		switch t.tok {
		case token.LPAREN, token.LBRACE, token.LBRACK:
			open = append(open, t)
		case token.RPAREN, token.RBRACE, token.RBRACK:
			if len(open) == 0 {
				return file.Position(file.Pos(t.off)), "unexpected " + t.tok.String()
			}
			open = open[:len(open)-1]
		}
	}
	if n := len(open); n > 0 {
		return file.Position(file.Pos(open[n-1].off)), open[n-1].tok.String() + " is not closed"
	}
	return at, ""
}

// parseFile parses text, whose line directives name p's source, and adds what is wrong to p. The text holds one part of
// a cell, or none in particular; an error that lies behind the part's end is about the end.
func (s *Scope) parseFile(p *parsed, text string, part *Part) *ast.File {
	f, err := parser.ParseFile(s.fset, "", text, parser.ParseComments|parser.AllErrors)
	if f != nil {
		s.texts(f, text)
	}
	if err == nil {
		return f
	}
	list, ok := err.(scanner.ErrorList)
	if !ok {
		p.errs = append(p.errs, &Error{Msg: err.Error()})
		return nil
	}
	seen := map[int]bool{}
	for _, e := range list {
		if seen[e.Pos.Line] {
			continue // the parser's second thoughts about one line seldom help
		}
		seen[e.Pos.Line] = true
		if part != nil {
			line, col := part.end()
			if e.Pos.Line > line || e.Pos.Line == line && e.Pos.Column > col {
				if len(seen) > 1 {
					break // what follows from the errors before
				}
				e.Pos.Line, e.Pos.Column = line, col
				wanted, _, _ := strings.Cut(e.Msg, ", found ")
				e.Msg = wanted + ", found the end of the cell"
			}
		}
		p.errs = append(p.errs, s.at(e.Pos, e.Msg))
	}
	return nil
}

// end returns the place behind the part's last byte.
func (p *Part) end() (line, col int) {
	if i := strings.LastIndexByte(p.Text, '\n'); i >= 0 {
		return p.Line + strings.Count(p.Text, "\n"), len(p.Text) - i
	}
	return p.Line, p.Col + len(p.Text)
}

// texts remembers the text of a file, to take pieces of it when lowering.
func (s *Scope) texts(f *ast.File, text string) {
	if s.text == nil {
		s.text = map[*token.File]string{}
	}
	s.text[s.fset.File(f.FileStart)] = text
}

// addDecl files one declaration of f: imports by name, a group of types one by one.
func (s *Scope) addDecl(p *parsed, f *ast.File, node ast.Decl, text string) {
	d := &decl{node: node, text: text, isNew: true, from: s.fset.Position(node.Pos()), unresolved: f.Unresolved}
	one := func(d *decl) {
		d.file = &ast.File{Package: f.Package, Name: f.Name, FileStart: f.FileStart, FileEnd: f.FileEnd, Decls: []ast.Decl{d.node}}
		p.decls = append(p.decls, d)
	}
	switch node := node.(type) {
	case *ast.FuncDecl:
		n := node.Name.Name
		if node.Recv != nil && len(node.Recv.List) == 1 {
			n = receiverName(node.Recv.List[0].Type) + "." + n
		}
		if n == "_" || n == "init" {
			p.errs = append(p.errs, s.at(d.from, "func "+n+" has no meaning in a cell; write its statements"))
			return
		}
		d.names = []string{n}
		one(d)
	case *ast.GenDecl:
		switch node.Tok {
		case token.IMPORT:
			for _, spec := range node.Specs {
				s.addImport(p, spec.(*ast.ImportSpec))
			}
		case token.TYPE:
			for _, spec := range node.Specs {
				e := *d
				e.node = &ast.GenDecl{TokPos: spec.Pos(), Tok: token.TYPE, Specs: []ast.Spec{spec}}
				e.names = []string{spec.(*ast.TypeSpec).Name.Name}
				file := s.fset.File(spec.Pos())
				e.text = s.text[file][file.Offset(spec.Pos()):file.Offset(spec.End())]
				one(&e)
			}
		default:
			for _, spec := range node.Specs {
				for _, id := range spec.(*ast.ValueSpec).Names {
					d.names = append(d.names, id.Name)
				}
			}
			one(d)
		}
	}
}

func (s *Scope) addImport(p *parsed, spec *ast.ImportSpec) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return // the parser said so
	}
	fail := func(msg string) { p.errs = append(p.errs, s.at(s.fset.Position(spec.Pos()), msg)) }
	name := s.pkgs.Name(path)
	if name == "" {
		fail(fmt.Sprintf("package %q is not available to scripts%s", path, s.near(path)))
		return
	}
	if spec.Name != nil {
		switch name = spec.Name.Name; name {
		case "_":
			return
		case ".":
			fail("import . is not supported in scripts; import " + strconv.Quote(path) + " under its name")
			return
		}
	}
	p.imports[name] = path
}

// receiverName returns the name of the type in a receiver: T, *T, T[P].
func receiverName(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return "_"
		}
	}
}

// importInto gives file the imports that its unresolved names need, and returns them. In a cell the packages come
// from the cell itself, then from the session; a name that was declared meanwhile is no package.
func (s *Scope) importInto(file *ast.File, unresolved []*ast.Ident, own map[string]string, declared map[string]bool) map[string]string {
	need := map[string]string{}
	for _, id := range unresolved {
		if p, ok := own[id.Name]; ok {
			need[id.Name] = p
		} else if declared[id.Name] {
			continue
		} else if p := s.packageOf(id.Name); p != "" {
			need[id.Name] = p
		}
	}
	setImports(file, need)
	return maps.Clone(need)
}

func setImports(file *ast.File, need map[string]string) {
	if len(need) == 0 {
		return
	}
	g := &ast.GenDecl{Tok: token.IMPORT, TokPos: file.Package}
	for name, path := range need {
		spec := &ast.ImportSpec{
			Name: &ast.Ident{Name: name, NamePos: file.Package},
			Path: &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(path), ValuePos: file.Package},
		}
		g.Specs = append(g.Specs, spec)
		file.Imports = append(file.Imports, spec)
	}
	file.Decls = append([]ast.Decl{g}, file.Decls...)
}
