package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"sort"
	"strings"
)

// Unit is a checked and lowered cell (or file): declarations for the interpreter, then one function per statement.
type Unit struct {
	// Imports are the compiled packages that the code below needs and that the interpreter does not know yet.
	Imports []string
	// Define is source of declarations, to be evaluated at once, before the first step.
	Define string
	Steps  []Step

	scope  *Scope
	parsed *parsed
	round  *round
	live   []*decl // what was live and stays so
	fresh  []*decl // what this cell declares
	notes  []string
	file   bool // a whole program: nothing in it is ever declared again

	code      map[types.Object]string // interpreter's names of package-level and cell-level objects
	newVars   map[string]*variable
	pending   map[string]string // instances made by this unit
	defs      strings.Builder
	needs     map[string]bool // paths
	cell      *types.Scope    // scope of the cell's own variables, or nil
	refused   Errors
	temps     int
	isDirty   map[string]bool
	helpers   map[string]string // functions written once per unit, by what they do
	fileFuncs []*ast.FuncDecl   // of a file: its functions and methods
	onCommit  []func()
	methods   map[*types.Func]string // what methods are called that this unit declares
	newTypes  map[string]*Type       // descriptions made by this unit, by key
	wraps     map[string]bool
	setup     strings.Builder // statements that give the session the methods of new types
}

// Step is one statement, lowered to a function without arguments.
type Step struct {
	Func string
	Cell int // of a file: which of its cells it belongs to; -1 for the variables at the top
	Line int
	Pos  *Error // the place of the statement
	vars []*variable
}

// Notes say what went stale because of this cell.
func (u *Unit) Notes() []string { return u.notes }

// relevant returns the checker's errors without those that do not hold for a cell: its own variables need not be used,
// and its last expression is shown.
func (u *Unit) relevant() []types.Error {
	body := u.parsed.body
	var last ast.Expr
	if body != nil && !u.file {
		if n := len(body.Body.List); n > 0 {
			if e, ok := body.Body.List[n-1].(*ast.ExprStmt); ok {
				last = e.X
			}
		}
		u.cell = u.round.info.Scopes[body.Type]
	}
	var out []types.Error
	for _, e := range u.round.errs {
		switch {
		case strings.HasPrefix(e.Msg, "declared and not used") && u.cell != nil && u.definedAtTop(e.Pos):
		case last != nil && strings.HasSuffix(e.Msg, "is not used") && last.Pos() <= e.Pos && e.Pos <= last.End() && !inFuncLit(last, e.Pos):
		case strings.HasPrefix(e.Msg, "\t"):
			// The rest of the error before it ("other declaration of").
		case strings.Contains(e.Msg, "initialization cycle") && !u.file:
		default:
			out = append(out, e)
		}
	}
	return out
}

func (u *Unit) definedAtTop(pos token.Pos) bool {
	for _, st := range u.parsed.body.Body.List {
		for {
			l, ok := st.(*ast.LabeledStmt)
			if !ok {
				break
			}
			st = l.Stmt
		}
		switch st := st.(type) {
		case *ast.AssignStmt:
			for _, l := range st.Lhs {
				if l.Pos() == pos {
					return true
				}
			}
		case *ast.DeclStmt:
			for _, sp := range st.Decl.(*ast.GenDecl).Specs {
				if v, ok := sp.(*ast.ValueSpec); ok {
					for _, n := range v.Names {
						if n.Pos() == pos {
							return true
						}
					}
				}
			}
		}
	}
	return false
}

func inFuncLit(root ast.Node, pos token.Pos) bool {
	in := false
	ast.Inspect(root, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncLit); ok && f.Body.Pos() <= pos && pos <= f.Body.End() {
			in = true
		}
		return !in
	})
	return in
}

// inDecls reports whether one of the errors lies in a declaration of this cell.
func (u *Unit) inDecls(errs []types.Error) bool {
	for _, e := range errs {
		if owner(u.scope.fset, u.fresh, e.Pos) != nil {
			return true
		}
	}
	return false
}

// bodyVars returns the variables that the cell's statements define, as far as their types are known.
func (u *Unit) bodyVars() []*variable {
	var vs []*variable
	if u.cell == nil {
		u.cell = u.round.info.Scopes[u.parsed.body.Type]
	}
	if u.cell == nil {
		return nil
	}
	for _, n := range u.cell.Names() {
		if v, ok := u.cell.Lookup(n).(*types.Var); ok && n != "_" && !invalid(v.Type()) {
			vs = append(vs, &variable{name: n, typ: v.Type()})
		}
	}
	return vs
}

func invalid(t types.Type) bool { return strings.Contains(types.TypeString(t, nil), "invalid type") }

// lower fills in Imports, Define and Steps of a cell.
func (u *Unit) lower(declared map[string]bool) Errors {
	s := u.scope
	u.begin()
	scope := u.round.pkg.Scope()

	// Names. A function that refers to something with a new meaning is compiled again, under a new name.
	again := u.outdated(declared)
	for _, d := range u.live {
		for _, n := range d.names {
			if o := scope.Lookup(n); o != nil && d.code != "" {
				u.code[o] = d.code
			}
		}
		if again[d] && !isType(d) {
			if f, ok := d.node.(*ast.FuncDecl); ok && f.Recv == nil {
				if o := scope.Lookup(d.names[0]); o != nil {
					u.code[o] = s.name(baseOf(d.names[0]))
				}
			}
		}
	}
	for n, v := range s.vars {
		if o, ok := scope.Lookup(n).(*types.Var); ok {
			u.code[o] = v.code
		}
	}
	for _, d := range u.fresh {
		for _, n := range d.names {
			if o := scope.Lookup(n); o != nil {
				u.code[o] = s.name(baseOf(n))
			}
		}
	}
	if u.parsed.body != nil {
		u.cellNames()
	}

	// A method is held in a variable. One that is declared again with the same signature keeps it.
	r := u.renderer(nil)
	newHolder := map[*decl]bool{}
	methods := false
	for _, d := range u.fresh {
		f, ok := d.node.(*ast.FuncDecl)
		if !ok || f.Recv == nil {
			continue
		}
		o, _ := r.info.Defs[f.Name].(*types.Func)
		if o == nil || o.Signature().RecvTypeParams().Len() > 0 {
			continue
		}
		d.holds = r.key(o.Signature().Recv().Type()) + r.key(stripped(o.Signature()))
		if old := s.declOf(d.names[0]); old != nil && old.code != "" && old.holds == d.holds && !receiverIsNew(u, f) {
			u.methods[o] = old.code
			continue
		}
		u.methods[o], newHolder[d] = s.name(baseOf(d.names[0])), true
	}

	// Types first, then methods and functions: the order does not matter to the interpreter, but it does to a reader.
	var setup []string
	for _, d := range u.fresh {
		if isType(d) {
			r.typeDecl(d.node.(*ast.GenDecl).Specs[0].(*ast.TypeSpec))
		}
	}
	for _, ds := range [][]*decl{u.fresh, u.live} {
		for _, d := range ds {
			f, ok := d.node.(*ast.FuncDecl)
			if !ok || f.Body == nil || !d.isNew && !again[d] {
				continue
			}
			o, _ := r.info.Defs[f.Name].(*types.Func)
			switch {
			case o == nil:
			case f.Recv == nil:
				r.funcDecl(f)
			case o.Signature().RecvTypeParams().Len() > 0:
				r.lateMethod(f, o)
			default:
				code := u.methods[o]
				if code == "" {
					code = d.code
				}
				setup = append(setup, r.methodDecl(f, code, newHolder[d]))
				methods = true
			}
		}
	}
	prefix := fmt.Sprintf("c%d__", s.cells)
	if text := strings.Join(setup, "\n"); strings.TrimSpace(text) != "" {
		fn := prefix + "methods"
		fmt.Fprintf(&u.defs, "func %s() {\n%s\n}\n", fn, text)
		u.Steps = append(u.Steps, Step{Func: fn, Cell: -1, Pos: &Error{Cell: s.sources[u.parsed.id].name}})
	}
	if methods {
		// Values that are in interfaces already get the new methods too.
		for _, n := range u.scriptTypes() {
			for _, t := range []types.Type{n, types.NewPointer(n)} {
				if id, ok := s.typeIDs[r.key(t)]; ok {
					r.register(t, s.types[id])
				}
			}
		}
	}
	if u.parsed.body != nil {
		u.lowerBody(u.parsed.body, prefix, true, func(int) int { return 0 })
	}
	u.finish()
	for d := range again {
		if o := scope.Lookup(d.names[0]); o != nil {
			d := d
			code := u.code[o]
			u.isDirty[d.names[0]] = true
			u.onCommit = append(u.onCommit, func() { d.code = code })
		}
	}
	return u.refused
}

// baseOf is the part of a name that a person wrote.
func baseOf(n string) string {
	n, _, _ = strings.Cut(n, hiddenMark)
	return strings.ReplaceAll(n, ".", "_")
}

func receiverIsNew(u *Unit, f *ast.FuncDecl) bool {
	n := receiverName(f.Recv.List[0].Type)
	for _, d := range u.fresh {
		if isType(d) && d.names[0] == n {
			return true
		}
	}
	return false
}

func (u *Unit) begin() {
	u.code = map[types.Object]string{}
	u.newVars = map[string]*variable{}
	u.pending = map[string]string{}
	u.needs = map[string]bool{}
	u.isDirty = map[string]bool{}
	u.methods = map[*types.Func]string{}
	u.newTypes = map[string]*Type{}
}

func (u *Unit) finish() {
	if u.setup.Len() > 0 {
		fn := u.scope.name("types__h")
		fmt.Fprintf(&u.defs, "func %s() {\n%s}\n", fn, u.setup.String())
		u.Steps = append([]Step{{Func: fn, Cell: -1, Pos: &Error{Cell: u.scope.sources[u.parsed.id].name}}}, u.Steps...)
	}
	for p := range u.needs {
		if !u.scope.imported[p] {
			u.Imports = append(u.Imports, p)
		}
	}
	sort.Strings(u.Imports)
	u.Define = u.defs.String()
}

// outdated returns the live functions and methods that use, directly or through others, what is declared now or was
// given another meaning since they were compiled.
func (u *Unit) outdated(declared map[string]bool) map[*decl]bool {
	changed := map[string]bool{}
	for n := range declared {
		changed[n] = true
	}
	for n := range u.scope.dirty {
		changed[n] = true
	}
	again := map[*decl]bool{}
	for more := true; more; {
		more = false
		for _, d := range u.live {
			if d.frozen || again[d] {
				continue
			}
			if _, ok := d.node.(*ast.FuncDecl); !ok {
				continue
			}
			for n := range d.uses {
				if changed[n] {
					again[d], more = true, true
					// Those who call it must call its new version. Methods are reached through a variable.
					if !strings.Contains(d.names[0], ".") {
						changed[d.names[0]] = true
					}
					break
				}
			}
		}
	}
	return again
}

// cellNames names the variables, types and constants that the statements of the body define.
func (u *Unit) cellNames() {
	info := u.round.info
	u.cell = info.Scopes[u.parsed.body.Type]
	scope := u.round.pkg.Scope()
	for _, n := range u.cell.Names() {
		switch o := u.cell.Lookup(n).(type) {
		case *types.Var:
			v := &variable{name: n, typ: o.Type()}
			if old := u.scope.vars[n]; old != nil && !u.file {
				if was, ok := scope.Lookup(n).(*types.Var); ok && u.code[was] == old.code && types.Identical(was.Type(), o.Type()) {
					v.code = old.code
				} else if ok && types.Identical(old.typ, o.Type()) {
					v.code = old.code
				}
			}
			if v.code == "" {
				v.code = u.scope.name(n)
				u.newVars[n] = v
			}
			u.code[o] = v.code
			if p, ok := scope.Lookup(n).(*types.Var); ok && !u.file && types.Identical(p.Type(), o.Type()) {
				u.code[p] = v.code
			}
		case *types.TypeName:
			u.code[o] = u.scope.name(n)
		}
	}
}

// lowerBody makes one step of each statement.
func (u *Unit) lowerBody(body *ast.FuncDecl, prefix string, show bool, cellOf func(line int) int) {
	s, info := u.scope, u.round.info
	list := body.Body.List
	if gotos := gotoTargets(body.Body); gotos != nil {
		u.lowerWithGoto(list, gotos, prefix, cellOf)
		return
	}
	for i, st := range list {
		pos := s.fset.Position(st.Pos())
		step := Step{Func: fmt.Sprintf("%s%d", prefix, i+1), Cell: cellOf(pos.Line), Line: pos.Line, Pos: s.at(pos, "")}
		r := u.renderer(nil)
		r.top = true
		r.kept = capturedIn(info, st)
		step.vars = u.defineVars(r, st)
		if d, ok := st.(*ast.DeclStmt); ok && d.Decl.(*ast.GenDecl).Tok != token.VAR {
			for _, sp := range d.Decl.(*ast.GenDecl).Specs {
				if sp, ok := sp.(*ast.TypeSpec); ok {
					r.typeDecl(sp)
				}
			}
			continue
		}
		var text string
		e, isExpr := st.(*ast.ExprStmt)
		if isExpr && show && i == len(list)-1 {
			text = r.shown(e.X)
		} else {
			text = r.stmt(st)
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		fmt.Fprintf(&u.defs, "func %s() {\n%s}\n", step.Func, text)
		u.Steps = append(u.Steps, step)
	}
}

// defineVars declares the variables of a statement of the body.
func (u *Unit) defineVars(r *renderer, st ast.Stmt) (vars []*variable) {
	for _, id := range definedBy(st) {
		o, ok := u.round.info.Defs[id].(*types.Var)
		if !ok || id.Name == "_" {
			continue
		}
		t, err := r.typeOf(o.Type())
		if err != "" {
			u.refuse(id.Pos(), fmt.Sprintf("%s has a type that cannot be named here (%s); use the value where it is made", id.Name, err))
			continue
		}
		code := u.code[o]
		if u.newVars[id.Name] != nil && u.newVars[id.Name].code == code {
			fmt.Fprintf(&u.defs, "var %s %s\n", code, t)
		}
		vars = append(vars, &variable{name: id.Name, typ: o.Type(), code: code})
	}
	return vars
}

// lowerWithGoto makes one step of all the statements of a cell, since one may jump to another.
func (u *Unit) lowerWithGoto(list []ast.Stmt, gotos map[string]bool, prefix string, cellOf func(line int) int) {
	s := u.scope
	for from := 0; from < len(list); {
		pos := s.fset.Position(list[from].Pos())
		in := cellOf(pos.Line)
		to := from + 1
		for to < len(list) && cellOf(s.fset.Position(list[to].Pos()).Line) == in {
			to++
		}
		step := Step{Func: fmt.Sprintf("%s%d", prefix, from+1), Cell: in, Line: pos.Line, Pos: s.at(pos, "")}
		r := u.renderer(nil)
		r.gotos = gotos
		r.kept = map[*types.Var]bool{}
		for _, st := range list[from:to] {
			for v := range capturedIn(u.round.info, st) {
				r.kept[v] = true
			}
			step.vars = append(step.vars, u.defineVars(r, st)...)
			if d, ok := st.(*ast.DeclStmt); ok && d.Decl.(*ast.GenDecl).Tok == token.TYPE {
				for _, sp := range d.Decl.(*ast.GenDecl).Specs {
					r.typeDecl(sp.(*ast.TypeSpec))
				}
			}
		}
		fmt.Fprintf(&u.defs, "func %s() {\n%s}\n", step.Func, r.stmts(list[from:to]))
		u.Steps = append(u.Steps, step)
		from = to
	}
}

// definedBy returns the names that a statement adds to the scope it stands in.
func definedBy(st ast.Stmt) []*ast.Ident {
	var ids []*ast.Ident
	switch st := st.(type) {
	case *ast.LabeledStmt:
		return definedBy(st.Stmt)
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE {
			for _, l := range st.Lhs {
				if id, ok := l.(*ast.Ident); ok {
					ids = append(ids, id)
				}
			}
		}
	case *ast.DeclStmt:
		if g := st.Decl.(*ast.GenDecl); g.Tok == token.VAR {
			for _, sp := range g.Specs {
				ids = append(ids, sp.(*ast.ValueSpec).Names...)
			}
		}
	}
	return ids
}

func (u *Unit) refuse(pos token.Pos, msg string) {
	u.refused = append(u.refused, u.scope.at(u.scope.fset.Position(pos), msg))
}

// Defined is called once the interpreter has accepted Define: the declarations are live from here on.
func (u *Unit) Defined() {
	s := u.scope
	for _, p := range u.Imports {
		s.imported[p] = true
	}
	for k, v := range u.pending {
		s.instances[k] = v
	}
	for _, f := range u.onCommit {
		f()
	}
	if u.file {
		return
	}
	for n, p := range u.parsed.imports {
		s.imports[n] = p
		delete(s.vars, n)
	}
	scope := u.round.pkg.Scope()
	s.decls = append(u.live, u.fresh...)
	declared := map[string]bool{}
	for _, d := range u.fresh {
		d.isNew = false
		for _, n := range d.names {
			declared[n] = true
			delete(s.vars, n)
			delete(s.imports, n)
			if o := scope.Lookup(n); o != nil {
				d.code = u.code[o]
			}
		}
		d.uses = u.usesOf(d)
		if f, ok := d.node.(*ast.FuncDecl); ok && f.Recv != nil && d.code == "" {
			if o, ok := u.round.info.Defs[f.Name].(*types.Func); ok {
				d.code = u.methods[o]
			}
		}
	}
	for _, v := range s.vars {
		if o, ok := scope.Lookup(v.name).(*types.Var); ok {
			v.typ = o.Type()
		}
	}
	s.dirty = map[string]bool{}
}

// Done is called once a step has run to its end: what it defined is live from here on.
func (u *Unit) Done(step Step) {
	s := u.scope
	if u.file {
		return
	}
	for _, v := range step.vars {
		old := s.vars[v.name]
		if old == nil || old.code != v.code {
			s.dirty[v.name] = true
		}
		// A function of the same name makes room.
		for _, d := range s.decls {
			if d.names[0] == v.name {
				s.decls = without(s.decls, d)
			}
		}
		delete(s.imports, v.name)
		s.vars[v.name] = v
	}
}

// scriptTypes returns the script's own types at package and cell level, interfaces and generics left out.
func (u *Unit) scriptTypes() []*types.Named {
	var out []*types.Named
	for _, sc := range []*types.Scope{u.round.pkg.Scope(), u.cell} {
		if sc == nil {
			continue
		}
		for _, n := range sc.Names() {
			tn, ok := sc.Lookup(n).(*types.TypeName)
			if !ok || tn.IsAlias() {
				continue
			}
			named, ok := tn.Type().(*types.Named)
			if !ok || named.TypeParams().Len() > 0 || types.IsInterface(named) {
				continue
			}
			out = append(out, named)
		}
	}
	return out
}

// usesOf returns the package-level names that a declaration refers to.
func (u *Unit) usesOf(d *decl) map[string]bool {
	uses := map[string]bool{}
	scope := u.round.pkg.Scope()
	ast.Inspect(d.node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			o := u.round.info.Uses[id]
			if o != nil && o.Parent() == scope {
				uses[o.Name()] = true
			}
			if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil && f.Pkg() == u.round.pkg {
				if _, n := namedKey(f.Signature().Recv().Type()); n != "" {
					uses[n+"."+f.Name()] = true
				}
			}
		}
		return true
	})
	delete(uses, d.names[0])
	return uses
}
