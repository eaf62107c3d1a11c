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

// value writes an expression that is put where a value of type to is wanted; to may be nil.
func (r *renderer) value(e ast.Expr, to types.Type) string {
	if to == nil || !types.IsInterface(r.substituted(to)) {
		return r.node(e)
	}
	// A literal assigned to an interface would lose its methods.
	x := ast.Unparen(e)
	if a, ok := x.(*ast.UnaryExpr); ok && a.Op == token.AND {
		x = a.X
	}
	if _, ok := x.(*ast.CompositeLit); !ok {
		return r.node(e)
	}
	ts, bad1 := r.typeOf(to)
	from, bad2 := r.typeOf(r.info.TypeOf(e))
	if bad1+bad2 != "" || r.substituted(to).Underlying().(*types.Interface).NumMethods() == 0 {
		return r.node(e)
	}
	fn := r.u.helper("to", from+" "+ts, func(name string) string {
		return fmt.Sprintf("func %s(x__ %s) %s { return x__ }\n", name, from, ts)
	})
	return fn + "(" + r.node(e) + ")"
}

// oneOf is value in an assignment of several values, where the interpreter needs the type of a nil.
func (r *renderer) oneOf(e ast.Expr, to types.Type) string {
	if to != nil && r.info.Types[e].IsNil() {
		if ts, bad := r.typeOf(to); bad == "" {
			return "*new(" + ts + ")"
		}
	}
	return r.value(e, to)
}

// argument is value for an argument of a call. A function literal is put into a variable first: only then does it keep
// the variables of this iteration.
func (r *renderer) argument(e ast.Expr, to types.Type) string {
	if lit, ok := ast.Unparen(e).(*ast.FuncLit); ok && r.hoist != nil {
		k := r.tmp("fn")
		text := r.funcLit(lit)
		r.hoist.WriteString(k + " := " + text + "; ")
		return k
	}
	return r.node(e)
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
	if s, ok := r.library(n, fun); ok {
		return s, true
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
	case "recover":
		return r.host("Recovered") + "(recover())", true
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
	// The error comes first: the cell fails with it, whatever else came back, and then nothing is shown.
	last := len(ts) - 1
	if t := ts[last]; implementsError(t) {
		fail := fmt.Sprintf("%s(%s.Error(), %s)", r.host("Fail"), names[last], names[last])
		if !nilable(t) {
			return s + fail + "\n"
		}
		s += fmt.Sprintf("if %s != nil { %s }; ", names[last], fail)
		if len(ts) == 1 {
			if isCall {
				return s + "\n" // it went well, and has nothing to say
			}
			return s + r.host("Show") + `("error", nil)` + "\n"
		}
		ts = ts[:last]
	}
	for i, t := range ts {
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
