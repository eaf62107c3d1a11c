package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"runtime"
	"strconv"
	"strings"
)

// IsProgram reports whether src is a whole Go file, with a package clause.
func IsProgram(src string) bool {
	toks, _, _, _ := scan(src)
	return len(toks) > 0 && toks[0].tok == token.PACKAGE
}

// CheckFile type-checks a program, as the compiler would, and lowers it: its declarations, then one step per statement
// of main. cellOf tells which cell of the file a line belongs to. The error is Errors.
func (s *Scope) CheckFile(name, src string, cellOf func(line int) int) (*Unit, error) {
	p := &parsed{id: s.addSource(name, src), imports: map[string]string{}}
	text := fmt.Sprintf("/*line %s:1:1*/", p.id) + src
	f := s.parseFile(p, text, nil)
	if f == nil {
		return nil, p.errs.sorted()
	}
	if merged, errs := s.withLocals(f, text); len(errs) > 0 {
		return nil, errs
	} else if merged != text {
		if f = s.parseFile(p, merged, nil); f == nil {
			return nil, p.errs.sorted()
		}
	}
	at := func(pos token.Pos, msg string) { p.errs = append(p.errs, s.at(s.fset.Position(pos), msg)) }
	if f.Name.Name != "main" {
		at(f.Name.Pos(), "a notebook is a program: package main, not package "+f.Name.Name)
	}
	for _, spec := range f.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if s.pkgs.Name(path) == "" {
			at(spec.Path.Pos(), fmt.Sprintf("package %q is not available to scripts%s", path, s.near(path)))
		}
		if spec.Name != nil && spec.Name.Name == "." {
			at(spec.Pos(), "import . is not supported in scripts; import "+spec.Path.Value+" under its name")
		}
	}
	if len(p.errs) > 0 {
		return nil, p.errs.sorted()
	}
	r := &round{info: newInfo()}
	conf := types.Config{Importer: s, GoVersion: "go1.26", Sizes: types.SizesFor("gc", runtime.GOARCH), Error: func(err error) {
		if e, ok := err.(types.Error); ok && !strings.HasPrefix(e.Msg, "\t") {
			at(e.Pos, e.Msg)
		}
	}}
	r.pkg, _ = conf.Check("main", s.fset, []*ast.File{f}, r.info)
	p.file = f
	u := &Unit{scope: s, parsed: p, round: r, file: true}
	for _, d := range f.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok {
			if fd.Recv == nil && fd.Name.Name == "main" {
				p.body = fd
				continue
			}
			u.fileFuncs = append(u.fileFuncs, fd)
		}
	}
	if p.body == nil && len(p.errs) == 0 {
		at(f.Name.Pos(), "func main is missing")
	}
	if len(p.errs) > 0 {
		return nil, p.errs.sorted()
	}
	u.lowerFile(f, cellOf)
	if len(u.refused) > 0 {
		return nil, u.refused.sorted()
	}
	return u, nil
}

// lowerFile fills in Imports, Define and Steps of a program.
func (u *Unit) lowerFile(f *ast.File, cellOf func(int) int) {
	s := u.scope
	u.begin()
	scope := u.round.pkg.Scope()
	for _, n := range scope.Names() {
		switch scope.Lookup(n).(type) {
		case *types.Const:
		default:
			u.code[scope.Lookup(n)] = s.name(baseOf(n))
		}
	}
	u.cellNames()
	r := u.renderer(nil)
	for _, fd := range u.fileFuncs {
		if o, _ := r.info.Defs[fd.Name].(*types.Func); o != nil && fd.Recv != nil && o.Signature().RecvTypeParams().Len() == 0 {
			u.methods[o] = s.name(receiverName(fd.Recv.List[0].Type) + "_" + fd.Name.Name)
		}
	}
	var inits []string
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, sp := range g.Specs {
			switch sp := sp.(type) {
			case *ast.TypeSpec:
				r.typeDecl(sp)
			case *ast.ValueSpec:
				if g.Tok == token.VAR {
					u.declareVars(r, sp)
				}
			}
		}
	}
	for i, fd := range u.fileFuncs {
		switch {
		case fd.Recv == nil && fd.Name.Name == "init":
			fn := fmt.Sprintf("init__%d", i)
			in := r.inside(types.NewSignatureType(nil, nil, nil, nil, nil, false), fd)
			fmt.Fprintf(&u.defs, "func %s%s\n", fn, in.function(fd.Type, fd.Body, ""))
			inits = append(inits, fn)
		case fd.Recv == nil:
			if fd.Name.Name != "_" {
				r.funcDecl(fd)
			}
		default:
			if o, _ := u.round.info.Defs[fd.Name].(*types.Func); o != nil && u.methods[o] != "" {
				r.methodDecl(fd, u.methods[o], true)
			}
		}
	}
	// Package-level variables, in the order that their values need.
	for i, in := range u.round.info.InitOrder {
		var names []string
		for _, v := range in.Lhs {
			if v.Name() == "_" {
				names = append(names, "_")
			} else {
				names = append(names, u.code[v])
			}
		}
		fn := fmt.Sprintf("var__%d", i)
		rr := u.renderer(nil)
		rr.kept = capturedIn(u.round.info, in.Rhs)
		rr.hoist = &strings.Builder{}
		text := ""
		if len(in.Lhs) == 1 {
			text = names[0] + " = " + rr.value(in.Rhs, in.Lhs[0].Type())
		} else {
			var to []types.Type
			for _, v := range in.Lhs {
				to = append(to, v.Type())
			}
			text = rr.assignTuple(names, "=", to, in.Rhs)
		}
		place := rr.place(&ast.ExprStmt{X: in.Rhs})
		fmt.Fprintf(&u.defs, "func %s() {\n%s%s%s\n}\n", fn, place, rr.hoist.String(), text)
		pos := s.fset.Position(in.Rhs.Pos())
		u.Steps = append(u.Steps, Step{Func: fn, Cell: -1, Line: pos.Line, Pos: s.at(pos, "")})
	}
	for _, fn := range inits {
		u.Steps = append(u.Steps, Step{Func: fn, Cell: -1, Pos: &Error{Cell: s.sources[u.parsed.id].name}})
	}
	u.lowerBody(u.parsed.body, "main__", false, cellOf)
	u.finish()
}

// declareVars declares package-level variables; their values come later.
func (u *Unit) declareVars(r *renderer, sp *ast.ValueSpec) {
	for _, id := range sp.Names {
		o := u.round.info.Defs[id]
		if o == nil || id.Name == "_" {
			continue
		}
		t, bad := r.typeOf(o.Type())
		if bad != "" {
			u.refuse(id.Pos(), fmt.Sprintf("%s has a type that cannot be named here (%s)", id.Name, bad))
			continue
		}
		fmt.Fprintf(&u.defs, "var %s %s\n", u.code[o], t)
	}
}
