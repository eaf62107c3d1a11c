package cell

import (
	"go/ast"
	"go/token"
	"go/types"
	"sort"
	"strings"
)

// Survey is what the cells of a notebook define and use, found without running anything of it.
type Survey struct {
	// Tops are the constants and variables at the top of the notebook whose value stands in its text, in that order.
	Tops []Top

	// Runs tells by cell whether it has anything to run.
	Runs []bool

	cells []map[string]touch // by cell and name
}

// Source is one cell of a notebook of loose statements.
type Source struct{ Name, Text string }

// touch is what a cell does with something that other cells can see.
type touch struct {
	defines, writes bool
	plain           bool // its value holds nothing that could be changed through another name
}

// stateful are packages whose functions change what later calls do.
var stateful = map[string]bool{"flag": true, "log": true, "log/slog": true, "math/rand": true, "math/rand/v2": true, "os": true}

// SurveyFile surveys a program; cellOf tells which of its cells a line belongs to. The error is that of CheckFile.
func (s *Scope) SurveyFile(name, src string, cells int, cellOf func(line int) int) (*Survey, error) {
	u, err := s.CheckFile(name, src, cellOf)
	if err != nil {
		return nil, err
	}
	v := newSurveyor(cells)
	info := u.round.info
	v.shared = func(o types.Object) string {
		switch o.Parent() {
		case u.cell:
			return o.Name()
		case u.round.pkg.Scope():
			return "file." + o.Name()
		}
		return ""
	}
	// What a function of the file touches, it touches wherever it is called.
	v.inside = map[types.Object]map[string]touch{}
	calls := map[types.Object][]types.Object{}
	for _, f := range u.fileFuncs {
		if o := info.Defs[f.Name]; o != nil && f.Body != nil {
			at := map[string]touch{}
			calls[o] = v.look(info, f.Body, at)
			v.inside[o] = at
		}
	}
	for more := true; more; {
		more = false
		for o, callees := range calls {
			for _, c := range callees {
				more = merge(v.inside[o], v.inside[c]) || more
			}
		}
	}
	for _, st := range u.parsed.body.Body.List {
		pos := s.fset.Position(st.Pos())
		c := cellOf(pos.Line)
		if c < 0 || c >= cells {
			continue
		}
		v.statement(s, info, st, c)
	}
	for _, st := range u.Steps {
		if st.Cell >= 0 && st.Cell < cells {
			v.Runs[st.Cell] = true
		}
	}
	for _, d := range u.parsed.file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && (g.Tok == token.VAR || g.Tok == token.CONST) {
			v.tops(s, info, g, -1)
		}
	}
	return v.done(), nil
}

// SurveyCells checks cells one after the other, as a session that ran them would, and surveys them. The error is Errors:
// what is wrong in any of them.
func (s *Scope) SurveyCells(cells []Source) (*Survey, error) {
	v := newSurveyor(len(cells))
	var wrong Errors
	lost := map[string]bool{} // what cells that are wrong would have defined
	for i, c := range cells {
		u, err := s.checkLocals(c)
		if err != nil {
			errs, ok := err.(Errors)
			if !ok {
				return nil, err
			}
			for _, e := range errs {
				if n, ok := strings.CutPrefix(e.Msg, "undefined: "); !ok || !lost[n] {
					wrong = append(wrong, e)
				}
			}
			for _, n := range definedIn(c.Text) {
				lost[n] = true
			}
			continue
		}
		info, scope := u.round.info, u.round.pkg.Scope()
		v.shared = func(o types.Object) string {
			if o.Parent() == scope || u.cell != nil && o.Parent() == u.cell {
				return o.Name()
			}
			return ""
		}
		at := v.cells[i]
		for n := range u.parsed.imports {
			at["import "+n] = touch{defines: true, plain: true}
		}
		for _, d := range u.parsed.decls {
			v.look(info, d.node, at)
			for _, n := range d.names {
				n, _, method := strings.Cut(n, ".")
				at[n] = touch{defines: !method, writes: true}
			}
			if g, ok := d.node.(*ast.GenDecl); ok && g.Tok == token.CONST {
				v.tops(s, info, g, i)
			}
		}
		if u.parsed.body != nil {
			for _, st := range u.parsed.body.Body.List {
				v.statement(s, info, st, i)
			}
		}
		v.Runs[i] = len(Split(c.Text)) > 0
		u.Defined()
		for _, st := range u.Steps {
			u.Done(st)
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return v.done(), nil
}

// checkLocals checks a cell and, before it, the local packages that it is the first to import.
func (s *Scope) checkLocals(c Source) (*Unit, error) {
	before, text, err := s.LocalCells(c.Name, c.Text)
	if err != nil {
		return nil, err
	}
	for _, b := range before {
		u, err := s.Check(b.Name, b.Text)
		if err != nil {
			return nil, err
		}
		u.Defined()
		for _, st := range u.Steps {
			u.Done(st)
		}
	}
	s.Loaded()
	u, err := s.Check(c.Name, text)
	if err == nil {
		err = u.Trespasses()
	}
	return u, err
}

// definedIn returns the names that a cell's text seems to define.
func definedIn(text string) []string {
	s := &Scope{fset: token.NewFileSet(), sources: map[string]*source{}}
	s.pkgs.Name = func(string) string { return "" }
	s.pkgs.Paths = func() []string { return nil }
	p := s.parse("", text)
	var names []string
	for _, d := range p.decls {
		names = append(names, d.names...)
	}
	if p.body != nil {
		for _, st := range p.body.Body.List {
			for _, id := range definedBy(st) {
				names = append(names, id.Name)
			}
		}
	}
	return names
}

// Needs returns the cells that run when the wanted ones do, in order: they and, before them, those that define or may
// change what they use. It cannot see what cells share through files.
func (v *Survey) Needs(wanted []int) []int {
	plain := map[string]bool{}
	for _, at := range v.cells {
		for n, t := range at {
			was, seen := plain[n]
			plain[n] = t.plain && (was || !seen)
		}
	}
	in := map[int]bool{}
	// What is still to be looked for: a name, and the cell that sees its value.
	type value struct {
		name string
		cell int
	}
	seen := map[value]bool{}
	var todo []value
	see := func(n string, c int) {
		if v := (value{n, c}); !seen[v] {
			seen[v] = true
			todo = append(todo, v)
		}
	}
	add := func(c int) {
		in[c] = true
		for n := range v.cells[c] {
			see(n, c)
		}
	}
	for _, c := range wanted {
		add(c)
	}
	for len(todo) > 0 {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for j := range x.cell {
			t, ok := v.cells[j][x.name]
			if !ok || !t.defines && !t.writes && plain[x.name] {
				continue
			}
			add(j)
			if !t.writes && plain[x.name] {
				continue
			}
			// Through what else holds references there (a closure, a pointer), later cells may change it.
			for n := range v.cells[j] {
				if !plain[n] {
					see(n, x.cell)
				}
			}
		}
	}
	var out []int
	for c := range in {
		out = append(out, c)
	}
	sort.Ints(out)
	return out
}

// surveyor collects a Survey.
type surveyor struct {
	*Survey
	shared func(types.Object) string // the name under which cells share an object, "" for a local one
	inside map[types.Object]map[string]touch
}

func newSurveyor(cells int) *surveyor {
	v := &surveyor{Survey: &Survey{Runs: make([]bool, cells), cells: make([]map[string]touch, cells)}}
	for i := range v.cells {
		v.cells[i] = map[string]touch{}
	}
	return v
}

func (v *surveyor) done() *Survey {
	sort.SliceStable(v.Tops, func(i, j int) bool {
		a, b := v.Tops[i], v.Tops[j]
		return a.Line < b.Line || a.Line == b.Line && a.from < b.from
	})
	return v.Survey
}

// merge adds what b touches to a and reports whether that is new.
func merge(a, b map[string]touch) (more bool) {
	for n, t := range b {
		old, ok := a[n]
		if t.defines = false; ok {
			t = touch{old.defines, old.writes || t.writes, old.plain && t.plain}
		}
		if a[n] != t || !ok {
			a[n], more = t, true
		}
	}
	return more
}

// statement notes what a statement at the top of a cell touches, and the values that it names.
func (v *surveyor) statement(s *Scope, info *types.Info, st ast.Stmt, c int) {
	at := v.cells[c]
	for _, callee := range v.look(info, st, at) {
		merge(at, v.inside[callee])
	}
	for _, id := range definedBy(st) {
		if o := info.Defs[id]; o != nil && id.Name != "_" {
			if n := v.shared(o); n != "" {
				at[n] = touch{defines: true, plain: plainType(o.Type(), 0)}
			}
		}
	}
	switch st := st.(type) {
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE && len(st.Lhs) == len(st.Rhs) {
			for i, l := range st.Lhs {
				if id, ok := l.(*ast.Ident); ok {
					v.top(s, info, id, nil, st.Rhs[i], false, c)
				}
			}
		}
	case *ast.DeclStmt:
		if g := st.Decl.(*ast.GenDecl); g.Tok != token.TYPE {
			v.tops(s, info, g, c)
		}
	}
}

// look notes in at what a piece of syntax touches, and returns the functions of the script that it refers to.
func (v *surveyor) look(info *types.Info, root ast.Node, at map[string]touch) (funcs []types.Object) {
	note := func(o types.Object, writes bool) {
		if o == nil {
			return
		}
		switch o := o.(type) {
		case *types.PkgName:
			n := "import " + o.Name()
			if _, ok := at[n]; !ok {
				at[n] = touch{plain: true}
			}
			return
		case *types.Func:
			funcs = append(funcs, o.Origin())
		case *types.Var:
			if o.IsField() {
				return
			}
		case *types.TypeName:
			writes = false
		default:
			return
		}
		n := v.shared(o)
		if n == "" {
			return
		}
		_, isVar := o.(*types.Var)
		t, ok := at[n]
		if !ok {
			t.plain = isVar && plainType(o.Type(), 0)
		}
		t.writes = t.writes || writes
		at[n] = t
	}
	write := func(e ast.Expr) {
		if id := rootOf(e); id != nil {
			note(info.Uses[id], true)
		}
	}
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			note(info.Uses[n], false)
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				write(l)
			}
		case *ast.IncDecStmt:
			write(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				write(n.X)
			}
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				write(n.Key)
				write(n.Value)
			}
		case *ast.SliceExpr:
			if _, array := info.TypeOf(n.X).Underlying().(*types.Array); array {
				write(n.X)
			}
		case *ast.SelectorExpr:
			if f, ok := info.Uses[n.Sel].(*types.Func); ok && f.Pkg() != nil && stateful[f.Pkg().Path()] && f.Signature().Recv() == nil && !strings.HasPrefix(f.Name(), "New") {
				at["package "+f.Pkg().Path()] = touch{writes: true}
			}
			if sel := info.Selections[n]; sel != nil {
				if f, ok := sel.Obj().(*types.Func); ok {
					note(f, false)
					if _, byPointer := f.Signature().Recv().Type().(*types.Pointer); byPointer && sel.Kind() == types.MethodVal {
						write(n.X)
					}
				}
			}
		}
		return true
	})
	return funcs
}

// rootOf returns the variable that x, x.f, x[i], *x and (x) are parts of.
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.ParenExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// plainType reports that a value of type t is all there is to it: nothing can be changed through a copy.
func plainType(t types.Type, depth int) bool {
	if depth > 8 {
		return false
	}
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return t.Kind() != types.UnsafePointer
	case *types.Array:
		return plainType(t.Elem(), depth+1)
	case *types.Struct:
		for i := range t.NumFields() {
			if !plainType(t.Field(i).Type(), depth+1) {
				return false
			}
		}
		return true
	}
	return false
}
