package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"runtime"
	"sort"
	"strings"
)

// round is one run of the type checker over everything that is live and what is new.
type round struct {
	pkg  *types.Package
	info *types.Info
	errs []types.Error
}

func newInfo() *types.Info {
	return &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{},
		Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Scopes: map[ast.Node]*types.Scope{},
	}
}

// run type-checks files as package main.
func (s *Scope) run(files []*ast.File) *round {
	r := &round{info: newInfo()}
	conf := types.Config{
		Importer: s, GoVersion: "go1.26", Sizes: types.SizesFor("gc", runtime.GOARCH), DisableUnusedImportCheck: true,
		Error: func(err error) {
			if e, ok := err.(types.Error); ok {
				r.errs = append(r.errs, e)
			}
		},
	}
	r.pkg, _ = conf.Check("main", s.fset, files, r.info)
	return r
}

// Check type-checks a cell against the session and lowers it. Nothing of the session changes until the unit's Commit
// functions are called. The error is Errors: everything that is wrong, in the order of the text.
func (s *Scope) Check(name, src string) (*Unit, error) {
	p := s.parse(name, src)
	if len(p.errs) > 0 {
		return nil, p.errs.sorted()
	}
	var undo []func()
	fail := func(errs Errors) (*Unit, error) {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
		return nil, errs.sorted()
	}

	declared := map[string]bool{}
	for _, d := range p.decls {
		for _, n := range d.names {
			if declared[n] && n != "_" {
				return fail(Errors{s.at(d.from, n+" is declared twice in this cell")})
			}
			declared[n] = true
			if p.imports[n] != "" {
				return fail(Errors{s.at(d.from, n+" is declared and imported in this cell")})
			}
		}
	}
	// What is declared again in the same words and means the same is left as it is.
	fresh := p.decls[:0:0]
	for _, d := range p.decls {
		if old := s.declOf(d.names[0]); old != nil && old.text == d.text && !old.frozen && !s.changes(old, declared) {
			continue
		}
		fresh = append(fresh, d)
	}
	declared = map[string]bool{}
	for _, d := range fresh {
		for _, n := range d.names {
			declared[n] = true
		}
	}
	live, replaced, old := s.replace(declared, &undo)
	fresh = append(fresh, replaced...)
	for _, d := range fresh {
		for _, n := range d.names {
			declared[n] = true
		}
		d.imports = s.importInto(d.file, d.unresolved, p.imports, declared)
	}
	if p.file != nil {
		s.importInto(p.file, p.idents, p.imports, declared)
	}
	for n := range declared {
		s.unshadow(live, n, &undo)
	}
	for n := range s.vars {
		s.unshadow(live, n, &undo)
	}

	var notes []string
	var extra []*variable // variables of this cell's statements that its declarations refer to
	for attempt := 0; ; attempt++ {
		var files []*ast.File
		for _, d := range live {
			files = append(files, d.file)
		}
		for _, d := range fresh {
			files = append(files, d.file)
		}
		vars, bad := s.varsFile(declared, p.imports, extra, old)
		if bad != nil {
			return fail(Errors{bad})
		}
		files = append(files, vars)
		if p.file != nil {
			files = append(files, p.file)
		}
		r := s.run(files)
		u := &Unit{scope: s, parsed: p, round: r, live: live, fresh: fresh}
		errs := u.relevant()
		if len(errs) == 0 {
			u.notes = notes
			if errs := u.lower(declared); len(errs) > 0 {
				return fail(errs)
			}
			return u, nil
		}
		// An error in what was declared earlier is a consequence of this cell: that declaration goes stale.
		stale := false
		if attempt < 50 {
			for _, e := range errs {
				if d := owner(s.fset, live, e.Pos); d != nil {
					keeps := !takes(d, old)
					live, notes, stale = s.stale(live, d, e, keeps, &undo), append(notes, s.staleNote(d, e, keeps)), true
					break
				}
				if d := owner(s.fset, replaced, e.Pos); d != nil && !stale {
					// A method or type that came along with a replaced type and no longer fits is left out.
					fresh = without(fresh, d)
					replaced = without(replaced, d)
					notes, stale = append(notes, s.staleNote(d, e, true)), true
					break
				}
			}
		}
		if stale {
			continue
		}
		if extra == nil && p.body != nil && u.inDecls(errs) {
			if extra = u.bodyVars(); len(extra) > 0 {
				continue
			}
		}
		var out Errors
		for _, e := range errs {
			out = append(out, s.at(s.fset.Position(e.Pos), e.Msg))
		}
		return fail(out)
	}
}

func (es Errors) sorted() Errors {
	sort.SliceStable(es, func(i, j int) bool {
		return es[i].Line < es[j].Line || es[i].Line == es[j].Line && es[i].Col < es[j].Col
	})
	out := es[:0]
	for i, e := range es {
		if i == 0 || *e != *es[i-1] {
			out = append(out, e)
		}
	}
	return out
}

// changes reports whether a declaration refers to something that this cell declares anew or whose meaning changed.
func (s *Scope) changes(d *decl, declared map[string]bool) bool {
	for n := range d.uses {
		if s.dirty[n] {
			return true
		}
		if declared[n] && n != d.names[0] {
			return true
		}
	}
	return false
}

// replace takes out of the live declarations what declared names anew. A replaced type stays, under a hidden name, for
// the values that have it; types and methods built on it are declared again, in their own words, on top of the new one.
// types holds the names of the types that are replaced.
func (s *Scope) replace(declared map[string]bool, undo *[]func()) (live, again []*decl, types map[string]bool) {
	types = map[string]bool{}
	for _, d := range s.decls {
		if isType(d) && declared[d.names[0]] {
			types[d.names[0]] = true
		}
	}
	for more := len(types) > 0; more; {
		more = false
		for _, d := range s.decls {
			if !isType(d) || types[d.names[0]] || d.frozen {
				continue
			}
			for n := range d.uses {
				if types[n] && !types[d.names[0]] {
					types[d.names[0]], more = true, true
				}
			}
		}
	}
	for _, d := range s.decls {
		n := d.names[0]
		recv, _, isMethod := strings.Cut(n, ".")
		switch {
		case isType(d) && types[n], isMethod && types[recv]:
			if !declared[n] && !d.frozen {
				again = append(again, s.reparse(d))
			}
			s.hide(d, types, undo)
			live = append(live, d)
		case declared[n] && len(d.names) == 1:
		case len(d.names) > 1 && anyOf(d.names, declared):
			// One of a group of constants: the others stay.
			s.hideConst(d, declared, undo)
			live = append(live, d)
		default:
			live = append(live, d)
		}
	}
	return live, again, types
}

func anyOf(names []string, in map[string]bool) bool {
	for _, n := range names {
		if in[n] {
			return true
		}
	}
	return false
}

func isType(d *decl) bool {
	g, ok := d.node.(*ast.GenDecl)
	return ok && g.Tok == token.TYPE
}

// reparse makes a new declaration of an old one's words.
func (s *Scope) reparse(d *decl) *decl {
	p := &parsed{id: d.from.Filename, imports: map[string]string{}}
	text := d.text
	if isType(d) {
		text = "type " + text
	}
	f := s.parseFile(p, fmt.Sprintf("package main\n/*line %s:%d:%d*/%s\n", d.from.Filename, d.from.Line, d.from.Column, text), nil)
	s.addDecl(p, f, f.Decls[0], text)
	n := p.decls[0]
	n.text = d.text
	return n
}

// hide gives a replaced type (and, in its methods, the receiver) a name that no script can write.
func (s *Scope) hide(d *decl, replaced map[string]bool, undo *[]func()) {
	was := *d
	names := d.names
	*undo = append(*undo, func() { *d = was; d.names = names })
	rename := func(id *ast.Ident) {
		if !replaced[id.Name] {
			return
		}
		old := id.Name
		id.Name = s.hiddenName(old, *undo)
		*undo = append(*undo, func() { id.Name = old })
	}
	var newNames []string
	for _, n := range d.names {
		t, m, isMethod := strings.Cut(n, ".")
		if isMethod {
			newNames = append(newNames, s.hiddenName(t, *undo)+"."+m)
		} else {
			newNames = append(newNames, s.hiddenName(n, *undo))
		}
	}
	d.names = newNames
	d.frozen = true
	for _, id := range d.unresolved {
		rename(id)
	}
	switch node := d.node.(type) {
	case *ast.FuncDecl:
		body := node.Body
		node.Body = nil
		*undo = append(*undo, func() { node.Body = body })
		ast.Inspect(node.Recv, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				rename(id)
			}
			return true
		})
	case *ast.GenDecl:
		ast.Inspect(node, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Obj != nil && id.Obj.Kind == ast.Typ || ok && isSpecName(node, id) {
				rename(id)
			}
			return true
		})
	}
}

func isSpecName(g *ast.GenDecl, id *ast.Ident) bool {
	for _, sp := range g.Specs {
		if t, ok := sp.(*ast.TypeSpec); ok && t.Name == id {
			return true
		}
	}
	return false
}

// hiddenName is the same for one name within one check.
func (s *Scope) hiddenName(n string, _ []func()) string {
	if strings.Contains(n, hiddenMark) {
		return n
	}
	return fmt.Sprintf("%s%so%d", n, hiddenMark, s.cells)
}

// hideConst takes declared names out of a group of constants.
func (s *Scope) hideConst(d *decl, declared map[string]bool, undo *[]func()) {
	names := d.names
	d.names = append([]string(nil), names...)
	*undo = append(*undo, func() { d.names = names })
	g, ok := d.node.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, sp := range g.Specs {
		for _, id := range sp.(*ast.ValueSpec).Names {
			if declared[id.Name] {
				old := id.Name
				id.Name = s.hiddenName(old, nil)
				*undo = append(*undo, func() { id.Name = old })
				for i, n := range d.names {
					if n == old {
						d.names[i] = id.Name
					}
				}
			}
		}
	}
}

// unshadow renames the import n in the files of declarations that use it as a package, since n is now declared.
func (s *Scope) unshadow(live []*decl, n string, undo *[]func()) {
	for _, d := range live {
		if d.imports[n] == "" {
			continue
		}
		hidden := n + hiddenMark + "p"
		for _, sp := range d.file.Imports {
			if sp.Name.Name == n {
				sp.Name.Name = hidden
				*undo = append(*undo, func() { sp.Name.Name = n })
			}
		}
		for _, id := range d.unresolved {
			if id.Name == n {
				id.Name = hidden
				*undo = append(*undo, func() { id.Name = n })
			}
		}
		p, m := d.imports[n], d.imports
		delete(m, n)
		m[hidden] = p
		*undo = append(*undo, func() { delete(m, hidden); m[n] = p })
	}
}

// ownType finds the script's own types in a type that varsFile writes.
var ownType = regexp.MustCompile("main" + hiddenMark + `\.([\pL_][\pL\d_]*)`)

// varsFile declares the session's variables, those that are declared anew left out. Those that are there already keep
// the types they have where replaced types are concerned.
func (s *Scope) varsFile(declared map[string]bool, own map[string]string, extra []*variable, replaced map[string]bool) (*ast.File, *Error) {
	var b strings.Builder
	paths := map[string]bool{}
	newer := map[string]*variable{}
	for _, v := range extra {
		newer[v.name] = v
	}
	var names []string
	for n := range s.vars {
		names = append(names, n)
	}
	for n := range newer {
		if s.vars[n] == nil {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	for _, n := range names {
		v := newer[n]
		if v == nil {
			v = s.vars[n]
		}
		if declared[n] || own[n] != "" {
			continue
		}
		text := types.TypeString(v.typ, func(p *types.Package) string {
			if p.Path() == "main" {
				return "main" + hiddenMark
			}
			paths[p.Path()] = true
			return alias(p.Path())
		})
		text = ownType.ReplaceAllStringFunc(text, func(t string) string {
			t = t[len("main"+hiddenMark+"."):]
			if replaced[t] && newer[n] == nil {
				return s.hiddenName(t, nil)
			}
			return t
		})
		fmt.Fprintf(&b, "var %s %s\n", n, text)
	}
	text := "package main\n"
	for p := range paths {
		text += fmt.Sprintf("import %s %q\n", alias(p), p)
	}
	q := &parsed{}
	f := s.parseFile(q, text+b.String(), nil)
	if f == nil {
		return nil, &Error{Msg: "a variable's type cannot be named: " + q.errs.Error()}
	}
	return f, nil
}

// owner returns the declaration that a position lies in.
func owner(fset *token.FileSet, ds []*decl, pos token.Pos) *decl {
	for _, d := range ds {
		if d.node.Pos() <= pos && pos <= d.node.End() {
			return d
		}
		if f, ok := d.node.(*ast.FuncDecl); ok && f.Body != nil && f.Body.Pos() <= pos && pos <= f.Body.End() {
			return d
		}
	}
	return nil
}

func without(ds []*decl, d *decl) []*decl {
	out := ds[:0:0]
	for _, e := range ds {
		if e != d {
			out = append(out, e)
		}
	}
	return out
}

// stale freezes a function that no longer fits, so that it can still be called as it was; what does not even fit by its
// signature, and anything else, is taken out.
func (s *Scope) stale(live []*decl, d *decl, e types.Error, keeps bool, undo *[]func()) []*decl {
	f, ok := d.node.(*ast.FuncDecl)
	if ok && keeps && f.Body != nil && f.Body.Pos() <= e.Pos && e.Pos <= f.Body.End() {
		body := f.Body
		f.Body = nil
		d.frozen = true
		*undo = append(*undo, func() { f.Body = body; d.frozen = false })
		return live
	}
	return without(live, d)
}

// takes reports that the signature of a function names a type that is replaced: as it was, it takes values that can no
// longer be written.
func takes(d *decl, replaced map[string]bool) bool {
	f, ok := d.node.(*ast.FuncDecl)
	if !ok {
		return false
	}
	found := false
	ast.Inspect(f.Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && replaced[id.Name] {
			found = true
		}
		return !found
	})
	return found
}

func (s *Scope) staleNote(d *decl, e types.Error, keeps bool) string {
	n := d.names[0]
	if f, ok := d.node.(*ast.FuncDecl); ok && keeps && (f.Body == nil || f.Body.Pos() <= e.Pos && e.Pos <= f.Body.End()) && !d.isNew {
		return fmt.Sprintf("%s no longer fits (%s) and stays as it was", clean(n), clean(e.Msg))
	}
	return fmt.Sprintf("%s no longer fits (%s) and is gone", clean(n), clean(e.Msg))
}
