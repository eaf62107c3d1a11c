package cell

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// hidden is the name of a package-level object of the package among the script's own.
func (l *local) hidden(name string) string {
	if name == "_" {
		return name
	}
	return name + hiddenMark + "l" + strconv.Itoa(l.number)
}

// hiddenImport is the name under which the script's code refers to a compiled package that a local one imports.
func hiddenImport(p string) string { return alias(p) + hiddenMark + "p" }

// rename returns what stands for an identifier of the package, "" for itself.
func (s *Scope) rename(info *types.Info, id *ast.Ident) string {
	o := info.Defs[id]
	if o == nil {
		o = info.Uses[id]
	}
	if o == nil || o.Pkg() == nil {
		return ""
	}
	if v, ok := o.(*types.Var); ok && v.Embedded() {
		// An embedded field has the name of its type.
		t := types.Unalias(v.Type())
		if p, ok := t.(*types.Pointer); ok {
			t = types.Unalias(p.Elem())
		}
		n, ok := t.(*types.Named)
		if !ok || n.Obj().Pkg() == nil {
			return ""
		}
		o = n.Obj()
	}
	if l := s.local.known[o.Pkg().Path()]; l != nil && l.pkg == o.Pkg() && o.Parent() == l.pkg.Scope() {
		return l.hidden(o.Name())
	}
	return ""
}

// edits writes pieces of a text with other names in it.
type edits struct {
	s    *Scope
	id   string
	src  string
	list []edit
}

type edit struct {
	from, to int
	text     string
}

func (s *Scope) editsOf(f *ast.File) *edits {
	tf := s.fset.File(f.FileStart)
	return &edits{s: s, id: s.fset.Position(f.Package).Filename, src: s.text[tf]}
}

// replace puts text in the place of a node; what follows in its line keeps its place.
func (e *edits) replace(pos, end token.Pos, text string) {
	tf := e.s.fset.File(pos)
	p := e.s.fset.Position(end)
	e.list = append(e.list, edit{tf.Offset(pos), tf.Offset(end), text + fmt.Sprintf("/*line %s:%d:%d*/", p.Filename, p.Line, p.Column)})
}

// between returns the text between two offsets as edited.
func (e *edits) between(from, to int) string {
	sort.SliceStable(e.list, func(i, j int) bool { return e.list[i].from < e.list[j].from })
	var b strings.Builder
	at := from
	for _, x := range e.list {
		if x.from < at || x.to > to {
			continue
		}
		b.WriteString(e.src[at:x.from] + x.text)
		at = x.to
	}
	b.WriteString(e.src[at:to])
	return b.String()
}

// hide puts hidden names in the place of what local packages declare. imported gives the name of a compiled package; nil
// leaves it.
func (e *edits) hide(f *ast.File, info *types.Info, imported func(path string) string) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.SelectorExpr:
			id, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			pn, ok := info.Uses[id].(*types.PkgName)
			if !ok {
				return true
			}
			if other := e.s.local.known[pn.Imported().Path()]; other != nil {
				e.replace(n.Pos(), n.End(), other.hidden(n.Sel.Name))
				return false
			}
			if imported != nil {
				e.replace(id.Pos(), id.End(), imported(pn.Imported().Path()))
			}
		case *ast.Ident:
			if name := e.s.rename(info, n); name != "" && name != n.Name {
				e.replace(n.Pos(), n.End(), name)
			}
		}
		return true
	})
}

// declarations returns a package's declarations under their hidden names, for the script to declare. Those of a program
// are in the order of the files, and its init functions are values of variables, so that they run before the variables
// of what imports the package. Those of a cell come without order first, then its variables in the order in which they
// get their values, as statements.
func (s *Scope) declarations(l *local, program bool) (text string, imports map[string]string) {
	imports = map[string]string{}
	var decls, inits []string
	vars := map[*ast.ValueSpec]string{}
	var bare []string
	for _, f := range l.files {
		e := s.editsOf(f)
		tf := s.fset.File(f.FileStart)
		e.hide(f, l.info, func(p string) string {
			imports[hiddenImport(p)] = p
			return hiddenImport(p)
		})
		// piece is a node with the keyword that begins it, and then its place.
		piece := func(keyword string, from, to token.Pos) string {
			p := s.fset.Position(from)
			return fmt.Sprintf("%s/*line %s:%d:%d*/%s", keyword, p.Filename, p.Line, p.Column, e.between(tf.Offset(from), tf.Offset(to)))
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				after := d.Pos() + token.Pos(len("func"))
				if d.Recv == nil && d.Name.Name == "init" && d.Body != nil {
					inits = append(inits, piece("func() ", d.Body.Pos(), d.Body.End())+"()")
					continue
				}
				if d.Recv == nil && d.Name.Name == "_" {
					continue
				}
				decls = append(decls, piece("func", after, d.End()))
			case *ast.GenDecl:
				switch d.Tok {
				case token.IMPORT:
				case token.VAR:
					for _, sp := range d.Specs {
						sp := sp.(*ast.ValueSpec)
						if len(sp.Values) == 0 {
							bare = append(bare, piece("var ", sp.Pos(), sp.End()))
						} else {
							vars[sp] = piece("var ", sp.Pos(), sp.End())
						}
						if program {
							if len(sp.Values) > 0 {
								bare = append(bare, vars[sp])
							}
						}
					}
				default:
					decls = append(decls, piece(d.Tok.String(), d.Pos()+token.Pos(len(d.Tok.String())), d.End()))
				}
			}
		}
	}
	decls = append(decls, bare...)
	if program {
		for i, in := range inits {
			decls = append(decls, fmt.Sprintf("var %s = func() bool { %s; return true }()", l.hidden(fmt.Sprintf("init__%d", i)), in))
		}
		return strings.Join(decls, "\n") + "\n", imports
	}
	// A spec of several variables with a value each is one statement; it runs when the last of them may.
	var order []*ast.ValueSpec
	for _, in := range l.info.InitOrder {
		for sp := range vars {
			if sp.Pos() <= in.Rhs.Pos() && in.Rhs.End() <= sp.End() {
				order = slices.DeleteFunc(order, func(o *ast.ValueSpec) bool { return o == sp })
				order = append(order, sp)
			}
		}
	}
	for _, sp := range order {
		decls = append(decls, vars[sp])
	}
	return strings.Join(append(decls, inits...), "\n") + "\n", imports
}

// localImports returns the imports of a file that are local packages, checked, by the name that the file gives them.
func (s *Scope) localImports(f *ast.File) (specs map[*ast.ImportSpec]*local, errs Errors) {
	specs = map[*ast.ImportSpec]*local{}
	if s.local == nil {
		return specs, nil
	}
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		_, isLocal, err := s.dirOf(p)
		switch {
		case err != nil:
			errs = append(errs, s.at(s.fset.Position(spec.Path.Pos()), err.Error()))
		case isLocal && spec.Name != nil && spec.Name.Name == ".":
			errs = append(errs, s.at(s.fset.Position(spec.Pos()), "import . is not supported in scripts; import "+spec.Path.Value+" under its name"))
		case isLocal:
			l, more := s.load(p, spec.Path.Pos(), nil)
			if errs = append(errs, more...); l != nil {
				specs[spec] = l
			}
		}
	}
	return specs, errs
}

func (l *local) nameIn(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	return l.pkg.Name()
}

// member returns the hidden name of a member of the package, or says why the script may not have it.
func (l *local) member(name, as string) (string, string) {
	switch o := l.pkg.Scope().Lookup(name); {
	case o == nil:
		return "", "undefined: " + as + "." + name
	case !o.Exported():
		return "", fmt.Sprintf("name %s not exported by package %s", name, l.pkg.Name())
	}
	return l.hidden(name), ""
}

// withLocals returns the text of a program in which the declarations of the local packages that it imports stand before
// its own. text is what f was parsed from.
func (s *Scope) withLocals(f *ast.File, text string) (string, Errors) {
	specs, errs := s.localImports(f)
	if len(errs) > 0 || len(specs) == 0 {
		return text, errs
	}
	// First as what it is, a package that imports others: so the compiler would see it.
	info := newInfo()
	conf := types.Config{Importer: s, GoVersion: "go1.26", Sizes: types.SizesFor("gc", runtime.GOARCH), Error: func(err error) {
		if e, ok := err.(types.Error); ok && !strings.HasPrefix(e.Msg, "\t") {
			errs = append(errs, s.at(s.fset.Position(e.Pos), e.Msg))
		}
	}}
	conf.Check("main", s.fset, []*ast.File{f}, info)
	if len(errs) > 0 {
		return "", errs.sorted()
	}
	tf := s.fset.File(f.FileStart)
	e := s.editsOf(f)
	e.hide(f, info, nil)
	for spec := range specs {
		// The import itself becomes blank.
		from, to := spec.Pos(), spec.End()
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT && !g.Lparen.IsValid() && g.Pos() <= from && to <= g.End() {
				from = g.Pos()
			}
		}
		e.list = append(e.list, edit{tf.Offset(from), tf.Offset(to), strings.Repeat(" ", int(to-from))})
	}
	// The packages' text comes behind the imports.
	end := f.Name.End()
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			end = g.End()
		}
	}
	var decls strings.Builder
	imports := map[string]string{}
	for _, l := range s.local.order {
		d, more := s.declarations(l, true)
		decls.WriteString(d)
		for n, p := range more {
			imports[n] = p
		}
	}
	var head strings.Builder
	head.WriteString("\n")
	for n, p := range imports {
		fmt.Fprintf(&head, "import %s %q\n", n, p)
	}
	p := s.fset.Position(end)
	return e.between(0, tf.Offset(end)) + head.String() + decls.String() +
		fmt.Sprintf("/*line %s:%d:%d*/", p.Filename, p.Line, p.Column) + e.between(tf.Offset(end), len(text)), nil
}

// qualify puts hidden names in the place of lib.Name.
func (e *edits) qualify(root ast.Node, unresolved []*ast.Ident, byName map[string]*local) (errs Errors) {
	free := map[*ast.Ident]bool{}
	for _, id := range unresolved {
		free[id] = true
	}
	selected := map[*ast.Ident]bool{}
	ast.Inspect(root, func(n ast.Node) bool {
		if st, ok := n.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				t := f.Type
				if p, ok := t.(*ast.StarExpr); ok {
					t = p.X
				}
				sel, ok := t.(*ast.SelectorExpr)
				if !ok || len(f.Names) > 0 {
					continue
				}
				if id, ok := sel.X.(*ast.Ident); ok && free[id] && byName[id.Name] != nil {
					errs = append(errs, e.s.at(e.s.fset.Position(f.Pos()), fmt.Sprintf("a cell cannot embed %s.%s, a type of a local package; give the field a name", id.Name, sel.Sel.Name)))
				}
			}
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok || !free[id] || byName[id.Name] == nil {
			return true
		}
		selected[id] = true
		name, bad := byName[id.Name].member(sel.Sel.Name, id.Name)
		if bad != "" {
			errs = append(errs, e.s.at(e.s.fset.Position(sel.Sel.Pos()), bad))
			return false
		}
		e.replace(sel.Pos(), sel.End(), name)
		return false
	})
	for id := range free {
		if l := byName[id.Name]; l != nil && !selected[id] {
			errs = append(errs, e.s.at(e.s.fset.Position(id.Pos()), fmt.Sprintf("use of package %s without selector", id.Name)))
		}
	}
	return errs
}

// Trespasses names what a checked cell uses of a local package although it is not exported.
func (u *Unit) Trespasses() error {
	if errs := u.scope.trespasses(u.round.info); len(errs) > 0 {
		return errs
	}
	return nil
}

// trespasses names what the script or a local package uses of another local package although it is not exported: the
// check of all declarations together does not see it.
func (s *Scope) trespasses(info *types.Info) (errs Errors) {
	if s.local == nil || len(s.local.order) == 0 {
		return nil
	}
	owner := func(pos token.Pos) *local { return s.local.ids[s.fset.Position(pos).Filename] }
	for id, o := range info.Uses {
		if o.Exported() || o.Pkg() == nil || o.Pkg().Path() != "main" || strings.Contains(o.Name(), hiddenMark) || !o.Pos().IsValid() {
			continue
		}
		switch v := o.(type) {
		case *types.Var:
			if !v.IsField() {
				continue
			}
		case *types.Func:
			if v.Signature().Recv() == nil {
				continue
			}
		default:
			continue
		}
		if a, b := owner(id.Pos()), owner(o.Pos()); a != b && b != nil {
			errs = append(errs, s.at(s.fset.Position(id.Pos()), fmt.Sprintf("%s is not exported by package %s", o.Name(), b.pkg.Name())))
		}
	}
	return errs.sorted()
}

// LocalCells returns a cell in which members of local packages have their hidden names, and before it the cells that
// declare the packages that it is the first to import. Loaded is to be called when those have run.
func (s *Scope) LocalCells(name, src string) (before []Source, cell string, err error) {
	if s.local == nil || !strings.Contains(src, "import") && len(s.local.names) == 0 {
		return nil, src, nil
	}
	q := &parsed{id: s.addSource(name, src)}
	out := []byte(nil)
	at := 0
	var errs Errors
	names := map[string]*local{}
	for n, l := range s.local.names {
		if s.vars[n] == nil && s.declOf(n) == nil { // else it was declared since
			names[n] = l
		}
	}
	type piece struct {
		part Part
		off  int
		file *ast.File
		body string
	}
	var pieces []piece
	for _, p := range Split(src) {
		head := "package main\n"
		tail := "\n"
		if p.Kind == Statement {
			head, tail = "package main\nfunc _() {\n", "\n}\n"
		}
		text := head + fmt.Sprintf("/*line %s:%d:%d*/", q.id, p.Line, p.Col) + p.Text + tail
		f, err := parser.ParseFile(s.fset, "", text, parser.ParseComments)
		if err != nil {
			continue // Check says what is wrong with it
		}
		s.texts(f, text)
		off := s.sources[q.id].offset(token.Position{Line: p.Line, Column: p.Col})
		pieces = append(pieces, piece{p, off, f, text})
		if p.Kind == Import {
			specs, more := s.localImports(f)
			errs = append(errs, more...)
			for spec, l := range specs {
				if n := l.nameIn(spec); n != "_" {
					names[n] = l
				}
			}
		}
	}
	if len(errs) > 0 {
		return nil, "", errs.sorted()
	}
	if len(names) == 0 && len(s.local.order) == 0 {
		return nil, src, nil
	}
	for _, p := range pieces {
		e := s.editsOf(p.file)
		from := len(p.body) - len(p.part.Text) - 1
		if p.part.Kind == Statement {
			from -= 2
		}
		if p.part.Kind == Import {
			tf := s.fset.File(p.file.FileStart)
			specs, _ := s.localImports(p.file)
			for spec := range specs {
				a, b := tf.Offset(spec.Pos()), tf.Offset(spec.End())
				if g := p.file.Decls[0].(*ast.GenDecl); !g.Lparen.IsValid() {
					a = tf.Offset(g.Pos())
				}
				e.list = append(e.list, edit{a, b, strings.Repeat(" ", b-a)})
			}
		} else {
			errs = append(errs, e.qualify(p.file, p.file.Unresolved, names)...)
		}
		out = append(append(out, src[at:p.off]...), e.between(from, from+len(p.part.Text))...)
		at = p.off + len(p.part.Text)
	}
	out = append(out, src[at:]...)
	if len(errs) > 0 {
		return nil, "", errs.sorted()
	}
	for _, l := range s.local.order {
		if l.loaded {
			continue
		}
		text, imports := s.declarations(l, false)
		head := ""
		for n, p := range imports {
			head += fmt.Sprintf("import %s %q\n", n, p)
		}
		before = append(before, Source{Name: l.path, Text: head + text})
	}
	for n, l := range names {
		s.local.names[n] = l
		delete(s.vars, n)
	}
	return before, string(out), nil
}

// Loaded notes that the cells before a cell, as LocalCells gave them, have run.
func (s *Scope) Loaded() {
	if s.local != nil {
		for _, l := range s.local.order {
			l.loaded = true
		}
	}
}
