package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// assert writes x.(T). The interpreter keeps a script's value behind an interface without its methods, and one of a
// type like int without its type; so where the script's own types matter, T is asked for by a function of ours.
func (r *renderer) assert(n *ast.TypeAssertExpr) (string, bool) {
	if n.Type == nil {
		return "", false
	}
	t := r.substituted(r.info.TypeOf(n.Type))
	from := r.substituted(r.info.TypeOf(n.X))
	fn := r.asserter(t, from, n.Pos())
	if fn == "" {
		return "", false
	}
	if _, commaOK := r.info.Types[n].Type.(*types.Tuple); commaOK {
		return fn + "(" + r.node(n.X) + ")", true
	}
	ts, _ := r.typeOf(t)
	fs, _ := r.typeOf(from)
	msg := fmt.Sprintf("interface conversion: the value is no %s", TypeString(t))
	return fmt.Sprintf("func(v__ %s) %s { x__, ok__ := %s(v__); if !ok__ { panic(%q) }; return x__ }(%s)", fs, ts, fn, msg, r.node(n.X)), true
}

// asserter returns the name of a function from the interface type from to (t, bool), "" when x.(t) does as it is.
func (r *renderer) asserter(t, from types.Type, pos token.Pos) string {
	src, ok := from.Underlying().(*types.Interface)
	if !ok {
		return ""
	}
	var own []types.Type
	test := ""
	if it, ok := t.Underlying().(*types.Interface); ok {
		if it.NumMethods() == 0 {
			return ""
		}
		if own = r.u.implementers(it); len(own) == 0 {
			return ""
		}
	} else if test = r.typeTest(t, src); test == "" {
		return ""
	}
	ts, bad1 := r.typeOf(t)
	fs, bad2 := r.typeOf(from)
	if bad1+bad2 != "" {
		r.u.refuse(pos, "type "+bad1+bad2+" cannot be named here")
		return ""
	}
	return r.u.helper("as", ts+" of "+fs, func(name string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "func %s(v__ %s) (%s, bool) {\n", name, fs, ts)
		if test != "" {
			fmt.Fprintf(&b, "if %s { var z__ %s; return z__, false }\n", test, ts)
		}
		for _, o := range own {
			if !types.AssertableTo(src, o) {
				continue
			}
			if s, bad := r.typeOf(o); bad == "" {
				if t := r.typeTest(o, src); t != "" {
					fmt.Fprintf(&b, "if !(%s) { ", t)
				} else {
					b.WriteString("{ ")
				}
				fmt.Fprintf(&b, "x__, ok__ := v__.(%s); if ok__ { return x__, true } }\n", s)
			}
		}
		fmt.Fprintf(&b, "x__, ok__ := v__.(%s)\nreturn x__, ok__\n}\n", ts)
		return b.String()
	})
}

// typeTest returns a condition on v__ that says "not of type t" where the interpreter would confuse t with another
// type of the same underlying type; "" where it would not.
func (r *renderer) typeTest(t types.Type, src *types.Interface) string {
	if src.NumMethods() > 0 {
		return "" // the interpreter tells values behind other interfaces apart by their methods
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		if n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "main" {
			if _, isStruct := n.Underlying().(*types.Struct); isStruct {
				return ""
			}
			s, bad := r.typeOf(n)
			if bad != "" {
				return ""
			}
			return "!" + r.host("Is") + "(v__, " + fmt.Sprintf("%q", s) + ")"
		}
		return ""
	}
	for _, n := range r.u.scriptTypes() {
		if types.Identical(n.Underlying(), t.Underlying()) {
			return r.host("Named") + "(v__)"
		}
	}
	return ""
}

// helper returns the name of a function that the unit defines once per key.
func (u *Unit) helper(base, key string, write func(name string) string) string {
	key = base + " " + key
	if n, ok := u.helpers[key]; ok {
		return n
	}
	name := u.scope.name(base + "__h")
	if u.helpers == nil {
		u.helpers = map[string]string{}
	}
	u.helpers[key] = name
	text := write(name)
	u.defs.WriteString(text)
	return name
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

// implementers returns the script's own types that have the methods of it: T where its value has them, and *T.
func (u *Unit) implementers(it *types.Interface) []types.Type {
	var out []types.Type
	for _, named := range u.scriptTypes() {
		if types.Implements(named, it) {
			out = append(out, named)
		}
		if p := types.NewPointer(named); types.Implements(p, it) {
			out = append(out, p)
		}
	}
	return out
}

// typeSwitch writes a switch on types as a switch on assertions, which the interpreter gets right more often.
func (r *renderer) typeSwitch(st *ast.TypeSwitchStmt) string {
	s := "switch "
	if st.Init != nil {
		s += r.simple(st.Init) + "; "
	}
	var x ast.Expr
	name := ""
	switch a := st.Assign.(type) {
	case *ast.AssignStmt:
		x, name = a.Rhs[0].(*ast.TypeAssertExpr).X, a.Lhs[0].(*ast.Ident).Name
	case *ast.ExprStmt:
		x = a.X.(*ast.TypeAssertExpr).X
	}
	from := r.substituted(r.info.TypeOf(x))
	v := r.tmp("v")
	s = v + " := " + r.node(x) + "; " + s + "{\n"
	if st.Init != nil {
		// The initial statement comes before the value it may define.
		s = r.simple(st.Init) + "; " + v + " := " + r.node(x) + "; switch {\n"
	}
	for _, c := range st.Body.List {
		c := c.(*ast.CaseClause)
		in := *r
		if c.List == nil {
			s += "default:\n"
		} else {
			var tests []string
			for _, e := range c.List {
				if r.info.Types[e].IsNil() {
					tests = append(tests, v+" == nil")
					continue
				}
				t := r.substituted(r.info.TypeOf(e))
				if fn := r.asserter(t, from, e.Pos()); fn != "" {
					fs, _ := r.typeOf(from)
					tests = append(tests, fmt.Sprintf("func(v__ %s) bool { _, ok__ := %s(v__); return ok__ }(%s)", fs, fn, v))
					continue
				}
				ts, bad := r.typeOf(t)
				if bad != "" {
					r.u.refuse(e.Pos(), "type "+bad+" cannot be named here")
				}
				tests = append(tests, fmt.Sprintf("func() bool { _, ok__ := %s.(%s); return ok__ }()", v, ts))
			}
			s += "case " + strings.Join(tests, " || ") + ":\n"
		}
		if o, ok := r.info.Implicits[c].(*types.Var); ok && name != "" && used(r.info, c, o) {
			code := in.local(o)
			if len(c.List) == 1 && !r.info.Types[c.List[0]].IsNil() {
				t := r.substituted(o.Type())
				if fn := r.asserter(t, from, c.Pos()); fn != "" {
					s += fmt.Sprintf("%s, _ := %s(%s)\n", code, fn, v)
				} else {
					ts, _ := r.typeOf(t)
					s += fmt.Sprintf("%s := %s.(%s)\n", code, v, ts)
				}
			} else {
				s += fmt.Sprintf("%s := %s\n", code, v)
			}
		}
		s += in.stmts(c.Body)
	}
	return s + "}"
}

// used reports whether a clause refers to o.
func used(info *types.Info, n ast.Node, o types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && info.Uses[id] == o {
			found = true
		}
		return !found
	})
	return found
}
