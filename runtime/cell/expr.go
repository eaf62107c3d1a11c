package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// paramType returns the type of a call's parameter number i; nil when it is not known.
func paramType(sig *types.Signature, i int, ellipsis bool) types.Type {
	if sig == nil {
		return nil
	}
	n := sig.Params().Len()
	if sig.Variadic() && i >= n-1 {
		t := sig.Params().At(n - 1).Type()
		if s, ok := t.(*types.Slice); ok && !ellipsis {
			return s.Elem()
		}
		return t
	}
	if i < n {
		return sig.Params().At(i).Type()
	}
	return nil
}

// value writes an expression that is put where a value of type to is wanted.
func (r *renderer) value(e ast.Expr, to types.Type) string { return r.node(e) }

// argument is value for an argument of a call. A function literal is put into a variable first: only then does it keep
// the variables of this iteration.
func (r *renderer) argument(e ast.Expr, to types.Type) string {
	if lit, ok := ast.Unparen(e).(*ast.FuncLit); ok && r.hoist != nil {
		k := r.tmp("fn")
		text := r.funcLit(lit)
		r.hoist.WriteString(k + " := " + text + "; ")
		return k
	}
	return r.value(e, to)
}

// call writes a call. Builtins that the interpreter lacks become functions of the session or literals.
func (r *renderer) call(n *ast.CallExpr) (string, bool) {
	fun := ast.Unparen(n.Fun)
	if id, ok := fun.(*ast.Ident); ok {
		if b, ok := r.info.Uses[id].(*types.Builtin); ok {
			return r.builtin(n, b.Name())
		}
	}
	if r.info.Types[fun].IsType() {
		return "", false
	}
	return r.callee(fun) + "(" + r.args(n) + ")", true
}

// args writes the arguments of a call.
func (r *renderer) args(n *ast.CallExpr) string {
	sig, _ := r.info.TypeOf(n.Fun).(*types.Signature)
	var list []string
	for i, a := range n.Args {
		list = append(list, r.argument(a, paramType(sig, i, n.Ellipsis.IsValid())))
	}
	s := strings.Join(list, ", ")
	if n.Ellipsis.IsValid() {
		s += "..."
	}
	return s
}

func (r *renderer) builtin(n *ast.CallExpr, name string) (string, bool) {
	typ := func() string {
		t := r.substituted(r.info.TypeOf(n))
		s, bad := r.typeOf(types.Default(t))
		if bad != "" {
			r.u.refuse(n.Pos(), "type "+bad+" cannot be named here")
		}
		return s
	}
	switch name {
	case "min", "max":
		t := typ()
		op := map[string]string{"min": "<", "max": ">"}[name]
		nan := ""
		if b, ok := r.substituted(r.info.TypeOf(n)).Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
			nan = " || x__ != x__"
		}
		return fmt.Sprintf("func(m__ %s, r__ ...%s) %s { for _, x__ := range r__ { if x__ %s m__%s { m__ = x__ } }; return m__ }(%s)",
			t, t, t, op, nan, r.exprs(n.Args)), true
	case "clear":
		x := r.node(n.Args[0])
		if m, ok := r.substituted(r.info.TypeOf(n.Args[0])).Underlying().(*types.Map); ok {
			_ = m
			return fmt.Sprintf("%s(%s)", r.host("Clear"), x), true
		}
		return fmt.Sprintf("%s(%s)", r.host("Clear"), x), true
	case "new":
		if tv := r.info.Types[n.Args[0]]; !tv.IsType() { // new(expression), Go 1.26
			t := strings.TrimPrefix(typ(), "*")
			return fmt.Sprintf("func(v__ %s) *%s { return &v__ }(%s)", t, t, r.node(n.Args[0])), true
		}
	case "print", "println":
		return r.host(map[string]string{"print": "Print", "println": "Println"}[name]) + "(" + r.exprs(n.Args) + ")", true
	}
	return "", false
}

// panics writes a panic whose value is an error of the script's own: its text is told to the session, which could not
// ask the value for it.
func (r *renderer) panics(e ast.Expr) (string, bool) {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return "", false
	}
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return "", false
	}
	b, ok := r.info.Uses[id].(*types.Builtin)
	t := r.info.TypeOf(call.Args[0])
	if !ok || b.Name() != "panic" || t == nil || !implementsError(t) {
		return "", false
	}
	v := r.tmp("v")
	note := r.host("Note") + "(" + v + ".Error())"
	if nilable(t) {
		note = "if " + v + " != nil { " + note + " }"
	}
	return fmt.Sprintf("%s := %s; %s; panic(%s)", v, r.node(call.Args[0]), note, v), true
}

// methodExpr writes T.Method as a function literal.
func (r *renderer) methodExpr(n *ast.SelectorExpr, sel *types.Selection) string {
	sig := r.info.TypeOf(n).(*types.Signature)
	var params, args []string
	for i := range sig.Params().Len() {
		t, bad := r.typeOf(sig.Params().At(i).Type())
		if bad != "" {
			r.u.refuse(n.Pos(), "type "+bad+" cannot be named here")
		}
		a := fmt.Sprintf("a__%d", i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			t = "..." + strings.TrimPrefix(t, "[]")
			if i > 0 {
				args = append(args, a+"...")
			}
		} else if i > 0 {
			args = append(args, a)
		}
		params = append(params, a+" "+t)
	}
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	return fmt.Sprintf("func(%s)%s { %sa__0.%s(%s) }", strings.Join(params, ", "), r.results(sig), ret, n.Sel.Name, strings.Join(args, ", "))
}

// assert writes x.(T). The interpreter does not find the methods of a script's value behind an interface, so for an
// interface T the script's own types that have its methods are tried one by one.
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
	it, ok := t.Underlying().(*types.Interface)
	if !ok || it.NumMethods() == 0 {
		return ""
	}
	own := r.u.implementers(it)
	if len(own) == 0 {
		return ""
	}
	ts, bad1 := r.typeOf(t)
	fs, bad2 := r.typeOf(from)
	if bad1+bad2 != "" {
		r.u.refuse(pos, "type "+bad1+bad2+" cannot be named here")
		return ""
	}
	key := ts + " of " + fs
	if n, ok := r.u.asserters[key]; ok {
		return n
	}
	name := r.u.scope.name("as__")
	if r.u.asserters == nil {
		r.u.asserters = map[string]string{}
	}
	r.u.asserters[key] = name
	var b strings.Builder
	fmt.Fprintf(&b, "func %s(v__ %s) (%s, bool) {\n", name, fs, ts)
	for _, o := range own {
		if _, isInterface := from.Underlying().(*types.Interface); !isInterface || !types.AssertableTo(from.Underlying().(*types.Interface), o) {
			continue
		}
		if s, bad := r.typeOf(o); bad == "" {
			fmt.Fprintf(&b, "if x__, ok__ := v__.(%s); ok__ { return x__, true }\n", s)
		}
	}
	fmt.Fprintf(&b, "x__, ok__ := v__.(%s)\nreturn x__, ok__\n}\n", ts)
	r.u.defs.WriteString(b.String())
	return name
}

// implementers returns the script's own types that have the methods of it: T where its value has them, *T otherwise.
func (u *Unit) implementers(it *types.Interface) []types.Type {
	var out []types.Type
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
			if !ok || named.TypeParams().Len() > 0 {
				continue
			}
			if _, isInterface := named.Underlying().(*types.Interface); isInterface {
				continue
			}
			if types.Implements(named, it) {
				out = append(out, named)
			}
			if p := types.NewPointer(named); types.Implements(p, it) {
				out = append(out, p)
			}
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

// shown writes the last expression of a cell so that its value is shown, or, when it is an error, fails the cell.
func (r *renderer) shown(e ast.Expr) string {
	tv := r.info.Types[e]
	place := r.place(&ast.ExprStmt{X: e})
	if tv.IsNil() || tv.IsType() {
		return ""
	}
	call, isCall := ast.Unparen(e).(*ast.CallExpr)
	if tv.IsVoid() || tv.Type == nil || isCall && r.prints(call) {
		return place + r.simple(&ast.ExprStmt{X: e}) + "\n"
	}
	var ts []types.Type
	if t, ok := tv.Type.(*types.Tuple); ok {
		for i := range t.Len() {
			ts = append(ts, t.At(i).Type())
		}
	} else {
		ts = []types.Type{types.Default(tv.Type)}
	}
	var names []string
	for range ts {
		names = append(names, r.tmp("v"))
	}
	s := place + strings.Join(names, ", ") + " := " + r.node(e) + "; "
	// The error comes first: the cell fails with it, whatever else came back.
	for i, t := range ts {
		if i == len(ts)-1 && implementsError(t) {
			if nilable(t) {
				s += fmt.Sprintf("if %s != nil { %s(%s.Error(), %s) }; ", names[i], r.host("Fail"), names[i], names[i])
				if _, ok := t.Underlying().(*types.Interface); ok && len(ts) > 1 {
					continue
				}
				if len(ts) == 1 {
					return s + r.host("Show") + `("error", nil)` + "\n"
				}
			} else {
				return s + fmt.Sprintf("%s(%s.Error(), %s)\n", r.host("Fail"), names[i], names[i])
			}
			continue
		}
		s += r.show(names[i], t) + "; "
	}
	return s + "\n"
}

// show writes the call that shows a variable. Methods of a script's own types are called here, where they are known.
func (r *renderer) show(v string, t types.Type) string {
	ts := fmt.Sprintf("%q", TypeString(t))
	for _, m := range []string{"Show", "String"} {
		o, _, indirect := types.LookupFieldOrMethod(t, true, r.u.round.pkg, m)
		f, ok := o.(*types.Func)
		if !ok || f.Pkg() == nil || f.Pkg().Path() != "main" || indirect {
			continue
		}
		if _, isInterface := t.Underlying().(*types.Interface); isInterface {
			continue
		}
		guard := ""
		if _, ok := t.Underlying().(*types.Pointer); ok {
			guard = fmt.Sprintf("if %s == nil { %s(%s, nil) } else ", v, r.host("Show"), ts)
		}
		sig := f.Signature()
		if m == "Show" && sig.Params().Len() == 0 && sig.Results().Len() == 2 {
			x := r.tmp("s")
			return fmt.Sprintf("%s{ %s, %s_ := %s.Show(); %s(%s, %s, %s_) }", guard, x, x, v, r.host("ShowText"), ts, x, x)
		}
		if m == "String" && sig.Params().Len() == 0 && sig.Results().Len() == 1 {
			return fmt.Sprintf("%s{ %s(%s, %s.String(), \"\") }", guard, r.host("ShowText"), ts, v)
		}
	}
	return fmt.Sprintf("%s(%s, %s)", r.host("Show"), ts, v)
}

// prints reports a call whose result nobody wants to see.
func (r *renderer) prints(c *ast.CallExpr) bool {
	s, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := r.info.Uses[s.Sel].(*types.Func)
	return ok && f.Pkg() != nil && f.Pkg().Path() == "fmt" && (strings.HasPrefix(f.Name(), "Print") || strings.HasPrefix(f.Name(), "Fprint"))
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

func implementsError(t types.Type) bool { return types.Implements(t, errorType) }

func nilable(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Interface, *types.Pointer:
		return true
	}
	return false
}
